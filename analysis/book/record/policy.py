"""What a page may run and load: the scripts written here and the pictures of its site, nothing else."""

from __future__ import annotations

import base64
import hashlib
import re

MODE = (
    '(function(){var m;try{m=localStorage.getItem("mode")}catch(e){}m=m||"auto";var r=document.documentElement.dataset;r.mode=m;'
    'r.theme=m!="auto"?m:matchMedia("(prefers-color-scheme: dark)").matches?"dark":"light"})()'
)
"""Before the first word is shown: the colour mode, so that a dark page does not flash."""
OWN_SCRIPT = f"'sha256-{base64.b64encode(hashlib.sha256(MODE.encode()).digest()).decode()}'"
CHARSET = re.compile(r"<meta charset=[^>]*>")


def secured(text: str) -> str:
    """The page with a policy: only scripts and pictures of this site, no eval, no address elsewhere.

    Of scripts within a page only the one written here is named; whatever else a page contains does not run.
    """
    here = "'self' file:"
    policy = {
        "default-src": "'none'", "script-src": f"{here} {OWN_SCRIPT}", "style-src": f"{here} 'unsafe-inline'",
        "img-src": f"{here} data:", "font-src": f"{here} data:", "connect-src": here, "frame-src": here, "form-action": here,
        "base-uri": "'none'",
    }  # fmt: skip
    content = "; ".join(f"{name} {value}" for name, value in policy.items())
    meta = f'<meta http-equiv="Content-Security-Policy" content="{content}">'
    secured, count = CHARSET.subn(lambda found: f"{found[0]}{meta}", text, count=1)
    if not count:
        raise ValueError("a page without a declared character set, after which its policy would stand")
    return secured
