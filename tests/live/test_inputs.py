"""What goes to Codex beside the prompt: a schema for the report, and images, as the model gets them."""

import base64
from collections.abc import AsyncGenerator, Iterator
from hashlib import sha256

import pytest

from codex_control_plane_contract.values import JsonObject, JsonValue
from codex_control_plane_mcp.testing.evidence import fault, report
from codex_control_plane_mcp.testing.image_host import ImageHost, Page, image_host, png
from codex_control_plane_mcp.testing.prompts import prompt
from codex_control_plane_mcp.testing.rig import ScriptedRig, scripted_rig
from codex_control_plane_mcp.testing.task_client import CallFailed, TaskClient

pytestmark = [pytest.mark.live, pytest.mark.anyio]

SCHEMA: JsonObject = {
    "type": "object",
    "properties": {"passed": {"type": "boolean"}, "failures": {"type": "array", "items": {"type": "string"}}},
    "required": ["passed", "failures"],
    "additionalProperties": False,
}


@pytest.fixture(scope="module")
def host() -> Iterator[ImageHost]:
    """A web host on loopback, which the worker may fetch from."""
    with image_host() as running:
        yield running


@pytest.fixture(scope="module")
async def rig(anyio_backend: str, host: ImageHost) -> AsyncGenerator[ScriptedRig]:  # noqa: ARG001 -- anyio wants it
    """A rig for all tests of this module, whose setting allows the host."""
    async with scripted_rig(CODEX_MCP_IMAGE_HOSTS=host.name, CODEX_MCP_RETRY_SECONDS="1") as opened:
        yield opened


def data_url(content: bytes) -> str:
    """Return an image as the model gets it."""
    return f"data:image/png;base64,{base64.b64encode(content).decode()}"


def images_of(rig: ScriptedRig, text: str) -> tuple[str, ...]:
    """Return the images that came with a prompt to the model."""
    [request] = [request for request in rig.model.requests if request.user_text.startswith(text)]
    return request.images


async def test_a_report_that_fits_its_schema_is_structured(rig: ScriptedRig, client: TaskClient) -> None:
    """The model gets the schema with every call of the turn, and the report comes as an object."""
    text = prompt("run true", 'say {"passed": true, "failures": []}')
    task = await client.submit(text, output_schema=SCHEMA)
    row = await client.wait_until(task["operationId"], "completed")
    assert "finalReport" in row
    assert row["finalReport"].get("structured") == {"passed": True, "failures": []}
    assert row["finalReport"].get("structuredStatus") == "parsed"
    asked = [request for request in rig.model.requests if request.user_text == text]
    assert [request.output_schema for request in asked] == [SCHEMA, SCHEMA]
    assert row.get("outputSchemaState", {}).get("applied") is True


async def test_a_report_that_does_not_fit_is_said(client: TaskClient) -> None:
    """Codex does not look whether the answer fits; the task is completed and the misfit named."""
    task = await client.submit(prompt('say {"passed": "yes", "failures": []}'), output_schema=SCHEMA)
    row = await client.wait_until(task["operationId"], "completed")
    assert "finalReport" in row
    assert "structured" not in row["finalReport"]
    assert row["finalReport"].get("structuredStatus") == "not_available"
    [misfit] = row["finalReport"].get("structuredFaults", [])
    assert misfit.startswith("/passed")


async def test_a_local_image_reaches_the_model(rig: ScriptedRig, client: TaskClient) -> None:
    """The file is given relative to the directory of the task; of detail low Codex would leave it out."""
    content = png(10)
    (rig.project / "screen.png").write_bytes(content)
    text = prompt("say I see.")
    item: JsonValue = {"type": "localImage", "path": "screen.png", "detail": "low"}
    task = await client.submit(text, input_items=[item])
    assert ["detail low" in warning for warning in task.get("warnings", [])] == [True]
    row = await client.wait_until(task["operationId"], "completed")
    assert images_of(rig, text) == (data_url(content),)
    assert row.get("inputItemState") == {
        "items": [
            {
                "type": "localImage",
                "detail": "low",
                "extension": "png",
                "bytes": len(content),
                "sha256": sha256(content).hexdigest(),
            }
        ]
    }


async def test_a_remote_image_is_fetched_and_inlined(
    rig: ScriptedRig, client: TaskClient, host: ImageHost
) -> None:
    """Codex refuses addresses, so the worker fetches; what is known of the image is then shown."""
    content = png(20)
    host.pages["/chart"] = Page(content)
    text = prompt("say I see.")
    task = await client.submit(text, input_items=[{"type": "image", "url": host.address("/chart")}])
    row = await client.wait_until(task["operationId"], "completed")
    assert images_of(rig, text) == (data_url(content),)
    [shown] = row.get("inputItemState", {"items": []})["items"]
    assert (shown["extension"], shown["sha256"]) == ("png", sha256(content).hexdigest())
    assert host.address("/chart") not in str(row)


async def test_an_image_of_the_largest_size_reaches_the_model(
    rig: ScriptedRig, client: TaskClient, host: ImageHost
) -> None:
    """Codex hangs up on a frame of 16 MiB, so a message of 27 million characters goes in several."""
    host.pages["/large"] = Page(png(60).ljust(20_000_000, b"\0"))
    text = prompt("say I see.")
    task = await client.submit(text, input_items=[{"type": "image", "url": host.address("/large")}])
    row = await client.wait_until(task["operationId"], "completed")
    assert report(row) == "I see."
    assert len(images_of(rig, text)) == 1


async def test_an_image_that_comes_later_is_waited_for(
    rig: ScriptedRig, client: TaskClient, host: ImageHost
) -> None:
    """A host in trouble is asked again after a pause, and the prompt runs once."""
    address = f"/late-{id(client)}"
    host.pages[address] = Page(status=503)
    text = prompt("say I see.")
    task = await client.submit(text, input_items=[{"type": "image", "url": host.address(address)}])
    row = await client.status(task["operationId"])
    while "lastError" not in row:
        row = await client.status(task["operationId"], wait_seconds=20, state_cursor=row["stateCursor"])
    assert fault(row)["code"] == "CODEX_TIMEOUT"
    host.pages[address] = Page(png(30))
    assert report(await client.wait_until(task["operationId"], "completed")) == "I see."
    assert images_of(rig, text) == (data_url(png(30)),)


async def test_what_is_no_image_fails_the_task(client: TaskClient, host: ImageHost) -> None:
    """A page of text is not sent; nothing of the task reaches the model."""
    host.pages["/page"] = Page(b"<html>", headers={"Content-Type": "image/png"})
    task = await client.submit(
        prompt("say No."), input_items=[{"type": "image", "url": host.address("/page")}]
    )
    row = await client.wait_until(task["operationId"], "failed")
    assert "input_items[0] is no PNG" in fault(row)["message"]


async def test_a_private_address_is_not_fetched_from(client: TaskClient, host: ImageHost) -> None:
    """Only the host and port that the setting names is exempt."""
    asked = len(host.asked)
    task = await client.submit(
        prompt("say No."), input_items=[{"type": "image", "url": f"http://localhost:{host.port}/chart"}]
    )
    row = await client.wait_until(task["operationId"], "failed")
    assert "private address" in fault(row)["message"]
    assert len(host.asked) == asked


async def test_a_file_that_changes_while_the_task_waits_fails_it(
    rig: ScriptedRig, client: TaskClient
) -> None:
    """What the caller submitted is what the model sees, or nothing."""
    picture = rig.project / f"changing-{id(client)}.png"
    picture.write_bytes(png(40))
    gate = f"gate-{id(client)}"
    first = await client.submit(prompt(f"wait {gate}", "say Now."))
    thread_id = (await client.wait_until(first["operationId"], "running")).get("threadId")
    assert thread_id is not None
    task = await client.send(
        thread_id, prompt("say No."), input_items=[{"type": "localImage", "path": picture.name}]
    )
    picture.write_bytes(png(50))
    await rig.model.gates.open(gate)
    row = await client.wait_until(task["operationId"], "failed")
    assert "is another file" in fault(row)["message"]


async def test_a_schema_that_is_open_is_refused_before_codex_is_called(client: TaskClient) -> None:
    """The caller learns at once what the model would refuse, and where."""
    with pytest.raises(CallFailed) as refused:
        await client.submit(prompt("say No."), output_schema={"type": "object"})
    assert refused.value.error["details"]["path"] == "output_schema.additionalProperties"
