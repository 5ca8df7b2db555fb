"""Many settings of the book from one plan: their numbers and verdicts, how these spread, what moves them, and whole sites where asked."""
