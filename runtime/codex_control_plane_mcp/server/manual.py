"""What `--version` and `--help` say."""

from collections.abc import Iterator

from codex_control_plane_contract.contract import CONTRACT_HASH, CONTRACT_VERSION, NAME
from codex_control_plane_contract.settings import FILE_VARIABLES, SETTINGS, Setting
from codex_control_plane_contract.tools import TOOLS
from codex_control_plane_mcp.version import program_version

_HELP = """\
{name}: an MCP server that hands durable tasks to OpenAI Codex.

It speaks MCP on stdin and stdout, so an MCP client starts it, not a person:
  claude mcp add codex-control-plane -e CODEX_ALLOWED_ROOTS=$HOME/src -- {name}
  codex mcp add codex-control-plane --env CODEX_ALLOWED_ROOTS=$HOME/src -- {name}
A submitted task goes on when the client, this server or the worker ends; any client can ask for it later.

Usage: {name} [--version | --help]
  Exit code 0: the client or a signal ended it. 2: a setting is invalid; stderr says which and what is
  allowed.

Tools
{tools}

Settings: environment variables, or keys of a JSON file that {file_variable} names; the environment wins.
{settings}
"""


def version_line() -> str:
    """Return the line that `--version` prints: program and contract."""
    return f"{NAME} {program_version()} (contract {CONTRACT_VERSION}, {CONTRACT_HASH[:12]})\n"


def help_text() -> str:
    """Return the text that `--help` prints."""
    return _HELP.format(
        name=NAME,
        tools="\n".join(f"  {tool.name}: {tool.title}." for tool in TOOLS.values()),
        file_variable=FILE_VARIABLES[0],
        settings="\n".join(line for name, setting in SETTINGS.items() for line in _described(name, setting)),
    )


def _described(variable: str, setting: Setting) -> Iterator[str]:
    yield f"  {variable}"
    yield f"      {setting.means}"
    allowed = _allowed(setting)
    if allowed:
        yield f"      {allowed}"


def _allowed(setting: Setting) -> str:
    match setting.type:
        case "enum":
            return f"{' | '.join(setting.values)} (default {setting.default})"
        case "integer":
            return f"{setting.minimum} to {setting.maximum} (default {setting.default})"
        case _:
            return ""
