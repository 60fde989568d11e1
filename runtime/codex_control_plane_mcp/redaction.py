"""Taking keys and tokens out of text (contract §12).

Only known forms are taken out, each replaced by `[redacted: its name]`: report text, URLs, code and keys such
as `token_count` stay as they are. Where a form could also be an ordinary word, a digit or a capital is asked
for, because every real key of it has one.
"""

import re
from collections.abc import Sequence
from functools import cache
from typing import Final, cast

from codex_control_plane_contract.values import JsonValue

# Name, what must be in the text for a look to be worth it (empty: always look), pattern. What the groups
# `kept` and `rest` match stays. Every repetition that something must follow is bounded, and no form begins
# inside a word: a long text of near misses is read in linear time.
_FORMS: Final = (
    (
        "private key",
        "PRIVATE KEY",
        # The body is lines of base64 or `Name: value`; prose or code that only names the markers has none.
        (
            r"-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----"
            r"(?:(?:\s|\\[nr]|[\"'+,])*(?:[A-Za-z][A-Za-z-]{0,40}: [^\n\\]{1,200}|[A-Za-z0-9+/=]{16,}))+"
            r"(?:(?:\s|\\[nr]|[\"'+,])*[A-Za-z0-9+/=]{1,76})?"
            r"(?:(?:\s|\\[nr]|[\"'+,])*-----END [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----)?"
        ),
    ),
    ("OpenAI key", "sk-", r"(?<![\w-])sk-(?=[\w-]{0,300}\d)(?=[\w-]{0,300}[A-Z])[\w-]{20,}"),
    ("GitHub token", "gh", r"(?<!\w)gh[opsur]_[A-Za-z0-9]{30,}"),
    ("GitHub token", "github_pat_", r"(?<!\w)github_pat_[A-Za-z0-9_]{22,}"),
    ("AWS key id", "IA", r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"),
    (
        "AWS secret key",
        "",
        (
            r"(?i:(?P<kept>aws_?secret_?(?:access_?)?key[\"']?\s{0,9}[:=]\s{0,9}[\"']?))"
            r"[A-Za-z0-9/+=]{40}(?![A-Za-z0-9/+=])"
        ),
    ),
    ("Slack token", "xox", r"(?<![\w-])xox[abceoprs]-(?=[\w-]{0,300}\d)[\w-]{10,}"),
    ("Slack token", "xapp-", r"(?<![\w-])xapp-\d-[\w-]{10,}"),
    ("Slack webhook", "hooks.slack.com", r"(?P<kept>https://hooks\.slack\.com/services/)T\w+/B\w+/\w{16,}"),
    ("Google key", "AIza", r"(?<![\w-])AIza[\w-]{35}"),
    ("Google token", "ya29.", r"(?<![\w-])ya29\.[\w-]{20,}"),
    ("Google client secret", "GOCSPX-", r"(?<![\w-])GOCSPX-[\w-]{20,}"),
    ("JWT", "eyJ", r"(?<![\w-])eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,}"),
    (
        "credentials",
        "",
        (
            r"(?i:(?P<kept>\bauthorization[\"']?\s{0,9}[:=]\s{0,9}[\"']?(?:basic|bearer|token)\s{1,9}))"
            r"(?=[\w.~+/-]{0,300}\d)[\w.~+/=-]{12,}"
        ),
    ),
    ("bearer token", "earer", r"(?P<kept>\b[Bb]earer\s{1,9})(?=[\w.~+/-]{0,300}\d)[\w.~+/-]{20,}=*"),
    (
        "password",
        "://",
        # A placeholder such as ${PASSWORD}, <password> or {password} is none.
        (
            r"(?P<kept>(?<![A-Za-z0-9+.-])[A-Za-z][A-Za-z0-9+.-]{0,30}://[^\s:/@\"'<>]{0,200}:)"
            r"(?![$<{%\[])[^\s/@\"'<>]{1,300}(?P<rest>@)"
        ),
    ),
    (
        "password",
        "=",
        (
            r"(?i:(?P<kept>\b(?:server|data source|host)=[^\n\"']{0,200}?;\s{0,9}(?:password|pwd)=))"
            r"(?!\[)[^;\s\"'{}<>]+"
        ),
    ),
    ("account key", "Key=", r"(?P<kept>\b(?:AccountKey|SharedAccessKey)=)[A-Za-z0-9+/=]{20,}"),
)


def redact(text: str) -> str:
    """Return `text` with every key, token and password of a known form replaced by its name in brackets."""
    for name, sign, pattern in _compiled():
        if sign in text:
            text = pattern.sub(lambda found, name=name: _replacement(found, name), text)  # type: ignore[misc]
    return text


def redact_json(value: JsonValue) -> JsonValue:
    """Return a copy of `value` with every text in it redacted; the keys of objects stay."""
    match value:
        case str():
            return redact(value)
        case list():
            return [redact_json(item) for item in value]
        case dict():
            return {key: redact_json(item) for key, item in value.items()}
        case _:
            return value


def _replacement(found: "re.Match[str]", name: str) -> str:
    parts = cast("dict[str, str | None]", found.groupdict())
    return f"{parts.get('kept') or ''}[redacted: {name}]{parts.get('rest') or ''}"


@cache
def _compiled() -> Sequence[tuple[str, str, "re.Pattern[str]"]]:
    # Compiled at first use: the server's start should not pay for a log that stays empty.
    return [(name, sign, re.compile(pattern)) for name, sign, pattern in _FORMS]
