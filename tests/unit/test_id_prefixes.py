"""Ids tell kinds of rows apart; what follows one lifecycle is one kind to clients."""

from pathlib import Path

import pytest

from codex_control_plane_codegen.analysis import analyse

FOLLOWER = """\
lifecycle: {name}
id_prefix: {prefix}
means: Several things to do.
source: a test
record:
  title: {{type: text, means: What to do.}}
follows:
  lifecycle: job
  named_by: batch_id
  role_in: batch_role
  roles:
    {role}: {{open: nothing, done: close}}
statechart:
  name: {name}
  states:
    opened:
      initial: true
      transitions:
        - {{event: close, target: closed}}
    closed: {{final: true}}
states:
  opened: {{means: It is open., waits_for: none, next_action: look, poll_after_seconds: 1}}
  closed: {{means: It ended., waits_for: none, next_action: none, poll_after_seconds: 0}}
events:
  begin: {{means: A client wants it., by: [client], creates: opened, sets: {{title: given}}}}
  close: {{means: It is done., by: [worker], ignored: [closed]}}
"""


def second_prefixes(root: Path, *prefixes: str) -> list[str]:
    """Return what is said of prefixes where the jobs of the base spec have followers with these."""
    job = root / "spec" / "lifecycles" / "job.yaml"
    title = "  title: {type: text, means: What to do.}\n"
    roles = ", ".join(f"role{number}" for number in range(len(prefixes)))
    columns = (
        "  batch_id: {type: text, optional: true, means: The batch.}\n"
        f"  batch_role: {{type: enum, optional: true, values: [{roles}], means: Its part.}}\n"
    )
    job.write_text(job.read_text().replace(title, title + columns, 1))
    for number, prefix in enumerate(prefixes):
        text = FOLLOWER.format(name=f"batch{number}", prefix=prefix, role=f"role{number}")
        (job.parent / f"batch{number}.yaml").write_text(text)
    return [each.message for each in analyse(root).diagnostics if each.code == "SPEC-R013"]


def test_followers_of_one_lifecycle_may_share_a_prefix(spec_root: Path) -> None:
    """A workflow is a workflow, whatever it does."""
    assert second_prefixes(spec_root, "bat", "bat") == []


@pytest.mark.parametrize("prefix", ["job", "cmd"])
def test_no_other_lifecycle_shares_one(spec_root: Path, prefix: str) -> None:
    """Not the one that is followed, either."""
    commands = (spec_root / "spec" / "lifecycles" / "worker_command.yaml").read_text()
    assert "id_prefix: cmd\n" in commands
    assert second_prefixes(spec_root, prefix) == [f"There is a second id prefix `{prefix}`"]
