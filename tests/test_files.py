"""Files and folders appear whole or not at all, whatever interrupts the one who writes them."""

import errno
import os
import resource
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from qap import files
from qap.errors import DataError
from qap.files import TEMPORARY, encoding_of, remove_leftovers, whole_file, whole_folder, write_text, write_with


def everything_in(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def full(*arguments, **keywords):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def one_line(caught):
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_a_file_appears_with_its_folders_and_with_the_usual_rights(tmp_path):
    path = tmp_path / "a" / "b" / 'ünï "c".txt'
    mask = os.umask(0o027)
    try:
        write_text(path, "äöü\n")
    finally:
        os.umask(mask)
    assert path.read_bytes() == "äöü\n".encode()
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert everything_in(path.parent) == [path.name]


def test_the_temporary_name_keeps_the_suffix_and_lies_beside_the_file(tmp_path):
    with whole_file(tmp_path / "model.keras") as temporary:
        assert temporary.suffix == ".keras"
        assert temporary.parent == tmp_path
        assert not (tmp_path / "model.keras").exists()


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, ValueError, RuntimeError])
def test_an_interrupted_file_leaves_the_old_one_and_nothing_else(tmp_path, error):
    path = tmp_path / "x.txt"
    path.write_text("old")

    def interrupted(temporary):
        temporary.write_text("half of the n")
        raise error

    with pytest.raises(error):
        write_with(path, interrupted)
    assert path.read_text() == "old"
    assert everything_in(tmp_path) == ["x.txt"]


def test_a_full_disk_while_writing_a_file(tmp_path, monkeypatch):
    path = tmp_path / "x.txt"
    path.write_text("old")
    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(DataError) as caught:
        write_text(path, "new")
    assert one_line(caught) == f"cannot write {path}: No space left on device"
    assert path.read_bytes() == b"old"
    assert everything_in(tmp_path) == ["x.txt"]


def test_a_file_that_may_not_become_so_large(tmp_path):
    """The system itself refuses here: what a quota or a full disk does, without a full disk."""
    path = tmp_path / "x.txt"
    former = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, former[1]))
    try:
        with pytest.raises(DataError) as caught:
            write_text(path, "x" * 2000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, former)
    assert one_line(caught) == f"cannot write {path}: File too large"
    assert everything_in(tmp_path) == []


@pytest.mark.parametrize("whole", [whole_file, whole_folder])
def test_a_folder_that_cannot_be_written(tmp_path, monkeypatch, whole):
    def read_only(*arguments, **keywords):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(files.tempfile, "mkstemp", read_only)
    monkeypatch.setattr(files.tempfile, "mkdtemp", read_only)
    with pytest.raises(DataError) as caught, whole(tmp_path / "x"):
        pytest.fail("nothing may be written")
    assert one_line(caught) == f"cannot write {tmp_path / 'x'}: Read-only file system"


@pytest.mark.parametrize("whole", [whole_file, whole_folder])
def test_a_parent_that_is_a_file(tmp_path, whole):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="cannot write .*Not a directory"), whole(tmp_path / "file" / "x"):
        pytest.fail("nothing may be written")


@pytest.mark.parametrize("whole", [whole_file, whole_folder])
@pytest.mark.parametrize("name", ["a\0b", "a\0/b", "\ud800", "n" * 300])
def test_a_name_that_no_file_can_have(tmp_path, whole, name):
    with pytest.raises(DataError, match="cannot write"), whole(tmp_path / name) as temporary:
        if whole is whole_file:
            temporary.write_text("")
    assert [item for item in everything_in(tmp_path) if item.startswith(".")] == []


@pytest.mark.parametrize("whole", [whole_file, whole_folder])
@pytest.mark.parametrize("name", ["n" * 250, "ü" * 125])
def test_the_longest_name_is_possible(tmp_path, whole, name):
    with whole(tmp_path / name):
        pass
    assert everything_in(tmp_path) == [name]


def test_a_folder_replaces_the_whole_former_one(tmp_path):
    path = tmp_path / "hls"
    for name in ("first", "second"):
        with whole_folder(path) as temporary:
            (temporary / name).write_text(name)
    assert everything_in(tmp_path) == ["hls", "hls/second"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_an_interrupted_folder_leaves_the_old_one_and_nothing_else(tmp_path, error):
    path = tmp_path / "hls"
    with whole_folder(path) as temporary:
        (temporary / "old").write_text("old")
    with pytest.raises(error), whole_folder(path) as temporary:
        (temporary / "new").write_text("half")
        raise error
    assert everything_in(tmp_path) == ["hls", "hls/old"]


def test_an_interrupt_between_the_former_folder_and_the_new_one_brings_the_former_back(tmp_path, monkeypatch):
    path = tmp_path / "hls"
    with whole_folder(path) as temporary:
        (temporary / "old").write_text("old")
    replace, calls = Path.replace, []

    def interrupted(self, target):
        calls.append(self)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt), whole_folder(path) as temporary:
        (temporary / "new").write_text("new")
    assert everything_in(tmp_path) == ["hls", "hls/old"]


def test_the_former_folder_is_never_seen_in_part(tmp_path, monkeypatch):
    """Deleting it is the slow step: by then it must not have its name any more."""
    path = tmp_path / "hls"
    with whole_folder(path) as temporary:
        (temporary / "old").write_text("old")
    remove, seen = files.shutil.rmtree, []

    def watched(folder, **keywords):
        seen.append((Path(folder).name, everything_in(path)))
        remove(folder, **keywords)

    monkeypatch.setattr(files.shutil, "rmtree", watched)
    with whole_folder(path) as temporary:
        (temporary / "new").write_text("new")
    assert seen
    assert all(name != "hls" and content == ["new"] for name, content in seen)


def test_a_folder_never_replaces_a_file(tmp_path):
    path = tmp_path / "hls"
    path.write_text("mine")
    with pytest.raises(DataError, match="Not a directory"), whole_folder(path):
        pytest.fail("nothing may be written")
    assert path.read_text() == "mine"
    assert everything_in(tmp_path) == ["hls"]


# ---- what a killed process leaves behind


KILLED = """
import os, signal, sys
from pathlib import Path
from qap.files import whole_file, whole_folder

path, moment = Path(sys.argv[1]), sys.argv[2]
if moment == "aside":
    replace = Path.replace

    def killed_between(self, target):
        if target == path:
            os.kill(os.getpid(), signal.SIGKILL)
        return replace(self, target)

    Path.replace = killed_between
with (whole_file if path.suffix else whole_folder)(path) as temporary:
    (temporary if path.suffix else temporary / "new").write_text("new")
    if moment == "inside":
        os.kill(os.getpid(), signal.SIGKILL)
"""


def killed(path, moment):
    done = subprocess.run([sys.executable, "-c", KILLED, str(path), moment], check=False)
    assert done.returncode == -signal.SIGKILL


@pytest.mark.parametrize("name", ["x.txt", "hls"])
@pytest.mark.parametrize("moment", ["inside", "aside"])
@pytest.mark.parametrize("clean", ["the next writer", "whoever works in the folder"])
def test_what_a_killed_writer_left_goes_and_the_former_content_stays(tmp_path, name, moment, clean):
    path = tmp_path / name
    with (whole_file if path.suffix else whole_folder)(path) as temporary:
        (temporary if path.suffix else temporary / "old").write_text("old")
    whole, foreign = everything_in(tmp_path), tmp_path / ".qap-mine"
    killed(path, moment)
    foreign.write_text("a hidden file of somebody else")
    left = everything_in(tmp_path)
    assert [item for item in left if item.startswith(TEMPORARY)]
    assert moment == "inside" or path.suffix or name not in left, "the folder stands aside"
    if clean == "the next writer":
        with pytest.raises(KeyboardInterrupt), (whole_file if path.suffix else whole_folder)(path):
            raise KeyboardInterrupt
    else:
        remove_leftovers(tmp_path)
    assert everything_in(tmp_path) == sorted([*whole, foreign.name])


def test_what_a_living_process_writes_is_left_alone(tmp_path):
    with whole_file(tmp_path / "x.txt") as one, whole_folder(tmp_path / "hls") as other:
        one.write_text("1")
        (other / "a").write_text("2")
        remove_leftovers(tmp_path)
        with whole_file(tmp_path / "x.txt"), whole_folder(tmp_path / "hls"):
            pass
    assert everything_in(tmp_path) == ["hls", "hls/a", "x.txt"]


def test_a_former_folder_whose_name_is_cut_off_is_left_alone(tmp_path):
    former = tmp_path / f"{TEMPORARY}{'n' * 32}.abcd1234{files.FORMER}"
    former.mkdir()
    remove_leftovers(tmp_path)
    assert former.is_dir()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_the_byte_order_mark_says_the_encoding(tmp_path: Path, encoding: str) -> None:
    mark = "\ufeff" if encoding.endswith(("le", "be")) else ""
    for text in ("", "a", "grün 日本"):
        (tmp_path / "text").write_bytes((mark + text).encode(encoding))
        assert (tmp_path / "text").read_text(encoding=encoding_of(tmp_path / "text")) == text
