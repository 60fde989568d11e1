"""input_items: which images are taken, and what is shown of them (contract §3)."""

import os
from pathlib import Path
from typing import Any

import pytest

from codex_control_plane_contract.settings import Settings
from codex_control_plane_contract.values import JsonObject, JsonValue
from codex_control_plane_mcp.testing.image_host import png
from codex_control_plane_mcp.testing.tool_caller import ToolCaller

TOOL = "codex_submit_task"
PROMPT = "Say what is wrong with the layout of the page in this picture, and mend it."


def submit(client: ToolCaller, cwd: Path, *items: JsonObject, **more: JsonValue) -> dict[str, Any]:
    """Submit a start_chat with images."""
    return client.call(
        TOOL, operation_type="start_chat", cwd=str(cwd), message=PROMPT, input_items=[*items], **more
    )


def local(path: object, **more: JsonValue) -> JsonObject:
    """Return an item that names a file."""
    return {"type": "localImage", "path": str(path), **more}


def remote(url: str) -> JsonObject:
    """Return an item that names an address."""
    return {"type": "image", "url": url}


def refused_at(answer: dict[str, Any]) -> str:
    """Return the place that a refusal names."""
    assert answer["error"]["code"] == "INVALID_ARGUMENT"
    path: str = answer["error"]["details"]["path"]
    return path


def test_a_file_is_known_by_its_content(client: ToolCaller, root: Path) -> None:
    """Its path is not shown."""
    (root / "page.png").write_bytes(png(1))
    task = submit(client, root, local("page.png", detail="high"))
    state = client.call("codex_get_operation_status", operation_id=task["operationId"])["inputItemState"]
    [item] = state["items"]
    assert item.keys() == {"type", "detail", "extension", "bytes", "sha256"}
    assert (item["type"], item["detail"], item["extension"], item["bytes"]) == (
        "localImage",
        "high",
        "png",
        len(png(1)),
    )


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.JPG", b"\xff\xd8\xff\xe0rest"),
        ("a.jpeg", b"\xff\xd8\xff\xe0rest"),
        ("a.gif", b"GIF89arest"),
        ("a.webp", b"RIFF\x00\x00\x00\x00WEBPrest"),
    ],
)
def test_every_kind_of_image_is_taken(client: ToolCaller, root: Path, name: str, content: bytes) -> None:
    """By its name, in any case, and by its first bytes."""
    (root / name).write_bytes(content)
    assert submit(client, root, local(root / name))["ok"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.png", b"\xff\xd8\xff\xe0rest"),
        ("a.png", b"text"),
        ("a.png", b""),
        ("a.txt", png(1)),
        ("a", png(1)),
    ],
)
def test_a_file_that_is_no_image_is_refused(
    client: ToolCaller, root: Path, name: str, content: bytes
) -> None:
    """Name and content must agree."""
    (root / name).write_bytes(content)
    assert refused_at(submit(client, root, local(name))) == "input_items[0].path"


def test_a_file_outside_the_roots_is_refused(client: ToolCaller, root: Path, tmp_path: Path) -> None:
    """By any way: absolute, with dots, or through a link; it is not even looked at."""
    outside = tmp_path / "outside.png"
    outside.write_bytes(png(1))
    (root / "link.png").symlink_to(outside)
    answers = [
        submit(client, root, local(path)) for path in (outside, "../outside.png", "link.png", "../none.png")
    ]
    assert {refused_at(answer) for answer in answers} == {"input_items[0].path"}
    assert all("allowed root" in answer["error"]["message"] for answer in answers)


def test_a_pipe_is_not_waited_for(client: ToolCaller, root: Path) -> None:
    """Only regular files are read."""
    os.mkfifo(root / "pipe.png")
    assert refused_at(submit(client, root, local("pipe.png"))) == "input_items[0].path"


def test_a_directory_is_refused_and_leaves_nothing_open(client: ToolCaller, root: Path) -> None:
    """It can be opened like a file, and has to be closed again."""
    (root / "shot.png").mkdir()
    refused_at(submit(client, root, local("shot.png")))
    before = sum(1 for _ in Path("/dev/fd").iterdir())
    answer = submit(client, root, local("shot.png"))
    assert refused_at(answer) == "input_items[0].path"
    assert "is no regular file" in answer["error"]["message"]
    assert sum(1 for _ in Path("/dev/fd").iterdir()) == before


def test_the_size_of_a_file_is_bounded(settings: Settings, root: Path) -> None:
    """By the setting, to the byte."""
    client = ToolCaller(
        Settings(allowed_roots=(root,), state_db=settings.state_db, max_image_input_bytes=100)
    )
    for size in (100, 101):
        (root / f"{size}.png").write_bytes(png(1).ljust(size, b"\0"))
    assert submit(client, root, local("100.png"))["ok"]
    assert refused_at(submit(client, root, local("101.png"))) == "input_items[0].path"


def test_the_number_of_images_is_bounded(settings: Settings, root: Path) -> None:
    """By the setting, below the ten of the contract."""
    (root / "a.png").write_bytes(png(1))
    client = ToolCaller(Settings(allowed_roots=(root,), state_db=settings.state_db, max_image_input_items=1))
    assert refused_at(submit(client, root, local("a.png"), local("a.png"))) == "input_items"


@pytest.mark.parametrize(
    ("item", "path"),
    [
        ({"type": "image"}, "input_items[0].url"),
        ({"type": "localImage"}, "input_items[0].path"),
        ({"type": "image", "url": "http://h/a.png", "path": "a.png"}, "input_items[0].path"),
        (remote("file:///etc/passwd"), "input_items[0].url"),
        (remote("data:image/png;base64,AAAA"), "input_items[0].url"),
        (remote("http:///a.png"), "input_items[0].url"),
        (remote("http://h:port/a.png"), "input_items[0].url"),
        (remote("https://name:word@h/a.png"), "input_items[0].url"),
        (remote("https://h/" + "a" * 8192), "input_items[0].url"),
        (local("a\0.png"), "input_items[0].path"),
    ],
)
def test_an_item_that_does_not_fit_is_refused_by_its_place(
    client: ToolCaller, root: Path, item: JsonObject, path: str
) -> None:
    """Before anything is stored."""
    assert refused_at(submit(client, root, item)).replace("/", ".").removeprefix(".") == path


def test_another_picture_makes_another_prompt(client: ToolCaller, root: Path) -> None:
    """Images are part of what makes two prompts the same, by their content."""
    for name, grey in (("a.png", 1), ("same.png", 1), ("b.png", 2)):
        (root / name).write_bytes(png(grey))
    assert submit(client, root, local("a.png"))["ok"]
    assert submit(client, root, local("b.png"))["ok"]
    assert submit(client, root, local("same.png"))["error"]["code"] == "CODEX_DUPLICATE_PROMPT_ACTIVE"


def test_a_repetition_is_answered_after_the_picture_has_gone(client: ToolCaller, root: Path) -> None:
    """A key names what the caller asked for, not what the file holds by now."""
    (root / "a.png").write_bytes(png(1))
    first = submit(client, root, local("a.png"), client_request_id="k")
    (root / "a.png").unlink()
    assert submit(client, root, local("a.png"), client_request_id="k")["operationId"] == first["operationId"]
