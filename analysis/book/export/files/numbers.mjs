import { readFileSync } from 'node:fs';
const read = (name) => JSON.parse(readFileSync(new URL(name, import.meta.url), 'utf-8')).map((row) => [row.id, row]);
const [numbers, claims] = ['numbers.json', 'claims.json'].map((name) => Object.fromEntries(read(name)));
const role = (name, doc, told) =>
  ({ name, doc, body: { type: String, required: true }, run: ({ body }) => [{ type: 'text', value: told(body.trim()) }] });
export default {
  name: 'Numbers and verdicts of the book',
  roles: [
    role('value', 'The text of a number of numbers.json, or of a claim.', (id) => (numbers[id] ?? claims[id]).text),
    role('verdict', 'The verdict on a claim of claims.json.', (id) => `(${claims[id].verdict.replaceAll('-', ' ')})`),
  ],
};
