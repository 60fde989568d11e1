"""Keys and tokens of the known forms are taken out; everything else stays as it is."""

import pytest

from codex_control_plane_mcp.redaction import redact, redact_json

KEY_BODY = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj\n" * 3

SECRETS = {
    "OpenAI": "sk-" + "abcDEF0123456789abcDEF0123456789",
    "OpenAI project": "sk-" + "proj-abc_DEF-0123456789abcDEF0123456789",
    "GitHub": "ghp_" + "abcdefghijklmnopqrstuvwxyz0123456789",
    "GitHub fine-grained": "github_pat_" + "11ABCDEFG0abcdefghijklmnop_qrstuvwxyz",
    "AWS": "AKIA" + "IOSFODNN7EXAMPLE",
    "Slack": "xoxb-" + "123456789012-abcdefghijkl",
    "Google": "AIza" + "SyA-1234567890abcdefghijklmnopqrstu",
    "JWT": "eyJhbGciOiJIUzI1NiJ9." + "eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N",
    "private key": f"-----BEGIN RSA PRIVATE KEY-----\n{KEY_BODY}-----END RSA PRIVATE KEY-----",
    "escaped private key": f"-----BEGIN PRIVATE KEY-----\\n{KEY_BODY}-----END PRIVATE KEY-----".replace(
        "\n", "\\n"
    ),
    "cut private key": f"-----BEGIN OPENSSH PRIVATE KEY-----\n{KEY_BODY}",
    "bearer": "Authorization: Bearer abcdef0123456789abcdef",
    "basic": "authorization: Basic dXNlcjpwYXNzd29yZDE=",
    "AWS secret": 'aws_secret_access_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"',
    "Slack webhook": "https://hooks.slack.com/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX",
    "connection": "postgres://app:s3cret!word@db.example.com:5432/shop",
    "Azure": "AccountName=shop;AccountKey=abcdefghijklmnopqrstuvwxyz0123456789==",
    "ADO": "Server=tcp:db,1433;Database=shop;Password=hunter2;Encrypt=true",
}

HARMLESS = [
    "Read https://example.com/a/b?token_count=3&x=user:name@home#part and http://localhost:8080/@scope/pkg.",
    "task-management-with-a-very-long-name and sk-learn-pipelines-for-classification",
    '{"filePath": "/srv/shop/app.py", "token_count": 1234, "tokenUsage": {"totalBand": "up_to_1k"}}',
    "if header.startswith('Authorization: Bearer '): token = header.removeprefix('Bearer ')",
    "curl -H 'Authorization: Bearer ${TOKEN}' -H 'Authorization: Bearer <your-token>'",
    "postgres://user:${PASSWORD}@localhost/db, redis://localhost:6379/0, git@github.com:owner/repo.git",
    'assert pem.startswith("-----BEGIN PRIVATE KEY-----") and pem.endswith("-----END PRIVATE KEY-----")',
    "commit 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "sha512-4NpGBCfy0m6SKRaKNJvGTVBIhIj3hg1mWnMkdVTIW1TXbkJmD8nA4yVd2FqPH0oOBkzRgPkUv9rQ8hP6rg==",
    "this.password=password; the bearer of this letter; eyJ is how a JWT begins",
    "مرحبا \u202eabc\u202c 🎉 \x00",
]


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_is_taken_out_wherever_it_stands(name: str) -> None:
    """Alone, in prose, in JSON and among lines."""
    secret = SECRETS[name]
    for text in (secret, f"it said: {secret}", f'{{"output": "{secret}"}}', f"a\n{secret}\nb"):
        redacted = redact(text)
        assert "[redacted: " in redacted
        for part in secret.replace("\\n", "\n").split():
            if len(part) > 30 and "://" not in part and "=" not in part[:30]:
                assert part not in redacted


def test_what_surrounds_a_secret_stays() -> None:
    """Only the secret part of a form is replaced."""
    assert redact("postgres://app:s3cret@db.example.com/shop") == (
        "postgres://app:[redacted: password]@db.example.com/shop"
    )
    assert redact("Authorization: Bearer abcdef0123456789abcdef, next") == (
        "Authorization: Bearer [redacted: credentials], next"
    )
    assert redact(f"a {SECRETS['private key']} b") == "a [redacted: private key] b"


@pytest.mark.parametrize("text", HARMLESS)
def test_other_text_is_not_damaged(text: str) -> None:
    """Prose, URLs, code and near misses come back as they were."""
    assert redact(text) == text


def test_a_second_pass_changes_nothing() -> None:
    """What stands in place of a secret is not taken for one."""
    once = redact("\n".join(SECRETS.values()))
    assert redact(once) == once


def test_json_is_redacted_in_its_texts_and_keeps_its_keys() -> None:
    """Clients read the keys."""
    secret = SECRETS["GitHub"]
    assert redact_json({"token_count": 3, "list": [secret, None, True], "deep": {"text": f"x {secret}"}}) == {
        "token_count": 3,
        "list": ["[redacted: GitHub token]", None, True],
        "deep": {"text": "x [redacted: GitHub token]"},
    }


def test_a_long_text_of_near_misses_is_read_in_linear_time() -> None:
    """Each part begins a form and does not end it; a pattern that backtracks would not come back."""

    for part in (
        "sk-aaaa-",
        "eyJaaaaaaaaa.",
        "-----BEGIN PRIVATE KEY-----\n",
        "server=",
        "a://b:",
        "authorization: ",
    ):
        text = part * (200_000 // len(part))
        assert len(redact(text)) > 0
