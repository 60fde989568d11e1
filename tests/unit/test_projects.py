"""A task works inside an allowed root, whatever its caller writes."""

import uuid
from pathlib import Path

import pytest

from codex_control_plane_contract.errors import CodexProjectNotFound, InvalidArgument
from codex_control_plane_mcp.projects import Location, Territory, project_id_of


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """An allowed root with a project `shop` in it, and a `secret` directory outside."""
    real = tmp_path.resolve()
    (real / "root/shop/src").mkdir(parents=True)
    (real / "secret").mkdir()
    return real / "root"


def locate(root: Path, cwd: str | None = None, project_id: str | None = None) -> Location:
    """Return the location with `root` as the only allowed root and as the projects root."""
    return Territory([root], projects_root=root).locate(cwd=cwd, project_id=project_id)


def test_a_directory_in_a_root_is_its_own_project(root: Path) -> None:
    """A task that names no project has one all the same."""
    shop = root / "shop"
    assert locate(root, cwd=str(shop)) == Location(project_id_of(shop), shop, shop)


def test_the_id_is_the_uuid5_of_the_file_uri() -> None:
    """In the URL namespace, so that anybody can compute it."""
    assert project_id_of(Path("/srv/shöp")) == str(uuid.uuid5(uuid.NAMESPACE_URL, "file:///srv/sh%C3%B6p"))


def test_the_root_itself_may_be_used(root: Path) -> None:
    """A root is inside itself."""
    assert locate(root, cwd=str(root)).cwd == root


def test_a_spelling_of_the_path_does_not_change_the_project(root: Path) -> None:
    """Dots, slashes and links are resolved first."""
    (root / "link").symlink_to(root / "shop")
    expected = locate(root, cwd=str(root / "shop"))
    for spelling in ("shop/", "shop/../shop", "./shop//", "link", "shop/src/.."):
        assert locate(root, cwd=f"{root}/{spelling}") == expected


@pytest.mark.parametrize("reference", ["shop", "path", "id"])
def test_a_project_resolves_by_id_path_and_name(root: Path, reference: str) -> None:
    """The case of an id does not count."""
    shop = root / "shop"
    given = {"shop": "shop", "path": str(shop), "id": project_id_of(shop).upper()}[reference]
    assert locate(root, project_id=given) == Location(project_id_of(shop), shop, shop)


def test_cwd_and_project_may_differ(root: Path) -> None:
    """The project says what the task belongs to, cwd where it works."""
    found = locate(root, cwd=str(root / "shop/src"), project_id="shop")
    assert found == Location(project_id_of(root / "shop"), root / "shop", root / "shop/src")


def test_the_directory_of_an_earlier_task_is_known_by_its_id(root: Path) -> None:
    """If it is still allowed."""
    src = root / "shop/src"
    territory = Territory([root], used=[src, root.parent / "secret"])
    assert territory.locate(cwd=None, project_id=project_id_of(src)).cwd == src
    with pytest.raises(CodexProjectNotFound):
        territory.locate(cwd=None, project_id=project_id_of(root.parent / "secret"))


@pytest.mark.parametrize(
    "cwd",
    [
        "{root}/../secret",
        "{root}/shop/../../secret",
        "{root}/out",
        "{root}/out/below",
        "{root}x",
        "{root}-evil",
        "/",
        "/etc",
        "//etc",
        "/proc/self/root/etc",
        "/dev/fd/0",
        "/" + "a" * 5000,
        "/" + "a/" * 3000,
        "{root}/\u202eshop",
        "{root}/ shop",
        "{root}/shop\n",
    ],
)
def test_nothing_outside_the_roots_is_reached(root: Path, cwd: str) -> None:
    """Neither by dots, links and look-alikes nor by absurd lengths; the answer names the roots."""
    (root / "out").symlink_to(root.parent / "secret")
    (root.parent / "root-evil").mkdir()
    for use in ({"cwd": cwd.format(root=root)}, {"project_id": cwd.format(root=root)}):
        with pytest.raises(CodexProjectNotFound) as caught:
            locate(root, **use)
        assert caught.value.details["allowedRoots"] == [str(root)]
        assert "secret" not in caught.value.message


def test_the_answer_does_not_tell_what_exists_outside(root: Path) -> None:
    """The same words for what is there and what is not."""
    said = set[str]()
    for name in ("secret", "nothing"):
        with pytest.raises(CodexProjectNotFound) as caught:
            locate(root, cwd=str(root.parent / name))
        said.add(caught.value.message)
    assert len(said) == 1


@pytest.mark.parametrize("cwd", ["shop", "./shop", "", "~", "~/shop", "/srv\0/shop", "C:\\shop"])
def test_a_cwd_that_is_no_absolute_path_is_an_invalid_argument(root: Path, cwd: str) -> None:
    """The current directory of the server means nothing to a caller."""
    with pytest.raises(InvalidArgument) as caught:
        locate(root, cwd=cwd)
    assert caught.value.details["path"] == "cwd"


def test_neither_cwd_nor_project_is_an_invalid_argument(root: Path) -> None:
    """There is no default directory."""
    with pytest.raises(InvalidArgument):
        locate(root)


def test_a_file_and_a_missing_directory_are_no_place_to_work(root: Path) -> None:
    """Inside a root the answer may say so."""
    (root / "file").touch()
    (root / "loop").symlink_to(root / "loop")
    for name in ("file", "missing", "loop", "file/below"):
        with pytest.raises(CodexProjectNotFound, match="not an existing directory"):
            locate(root, cwd=str(root / name))


def test_an_ambiguous_name_lists_the_candidates(root: Path, tmp_path: Path) -> None:
    """Nothing is guessed."""
    other = tmp_path.resolve() / "other/shop"
    other.mkdir(parents=True)
    territory = Territory([root, other], projects_root=root)
    with pytest.raises(CodexProjectNotFound, match="ambiguous") as caught:
        territory.locate(cwd=None, project_id="shop")
    candidates = caught.value.details["candidates"]
    assert isinstance(candidates, list)
    assert [candidate["path"] for candidate in candidates if isinstance(candidate, dict)] == [
        str(other),
        str(root / "shop"),
    ]


@pytest.mark.parametrize("reference", ["Shop", "shpo", "shops"])
def test_a_near_name_is_offered_and_not_taken(root: Path, reference: str) -> None:
    """A wrong case is near, not right."""
    with pytest.raises(CodexProjectNotFound) as caught:
        locate(root, project_id=reference)
    candidates = caught.value.details["candidates"]
    assert isinstance(candidates, list)
    assert [candidate["name"] for candidate in candidates if isinstance(candidate, dict)] == ["shop"]


@pytest.mark.parametrize("reference", ["..", ".", ".hidden", "out", str(uuid.UUID(int=0)), "no/such", "\0"])
def test_other_references_are_unknown(root: Path, reference: str) -> None:
    """Dots, hidden directories, links that lead outside, and relative paths."""
    (root / ".hidden").mkdir()
    (root / "out").symlink_to(root.parent / "secret")
    with pytest.raises(CodexProjectNotFound):
        locate(root, project_id=reference)


def test_without_roots_the_advice_is_to_set_one(root: Path) -> None:
    """A fresh install allows no directory."""
    with pytest.raises(CodexProjectNotFound, match="CODEX_ALLOWED_ROOTS"):
        Territory([]).locate(cwd=str(root), project_id=None)


def test_a_root_that_is_a_link_allows_what_it_leads_to(root: Path, tmp_path: Path) -> None:
    """The operator meant the directory behind it."""
    link = tmp_path / "link"
    link.symlink_to(root)
    assert Territory([link]).locate(cwd=str(link / "shop"), project_id=None).cwd == root / "shop"
