"""Whatever lies where a file is to be written: it is replaced whole, written through, or refused; a failure changes nothing."""

import errno
import os
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from multihot.errors import ConfigurationError
from multihot.storage import files as storage
from multihot.storage.files import check_target, filling, replacing, write_text


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_new_or_replaced_and_keeps_its_mode(tmp_path):
    path = tmp_path / "deep" / "er" / "a.txt"
    write_text(path, "one")
    path.chmod(0o640)
    write_text(path, "two")
    assert path.read_text() == "two"
    assert path.stat().st_mode & 0o777 == 0o640
    assert names(path.parent) == ["a.txt"]


@pytest.mark.parametrize("error", [ValueError("no"), KeyboardInterrupt(), OSError(errno.ENOSPC, "full")])
def test_a_failure_leaves_the_old_content_and_nothing_else(tmp_path, error):
    path = tmp_path / "a.txt"
    path.write_text("old")

    def fail():
        with replacing(path) as partial:
            partial.write_text("half")
            raise error

    with pytest.raises(type(error)):
        fail()
    assert (names(tmp_path), path.read_text()) == (["a.txt"], "old")


def test_a_full_disk_names_what_was_to_be_written(tmp_path, monkeypatch):
    def aside(place):
        full = place.parent / ".a-1-00000000.partial"
        full.symlink_to("/dev/full")
        return full

    monkeypatch.setattr(storage, "_aside", aside)
    with pytest.raises(OSError, match="No space left") as caught:
        write_text(tmp_path / "a.txt", "text")
    assert caught.value.filename == str(tmp_path / "a.txt")
    assert names(tmp_path) == []


@pytest.mark.parametrize("there", [True, False])
@pytest.mark.parametrize("relative", [True, False])
def test_a_link_stays_and_what_it_leads_to_is_written(tmp_path, there, relative):
    (tmp_path / "far").mkdir()
    far = tmp_path / "far" / "a.txt"
    if there:
        far.write_text("old")
    (tmp_path / "second").symlink_to("far/a.txt" if relative else far)
    (tmp_path / "first").symlink_to("second")
    write_text(tmp_path / "first", "new")
    assert (tmp_path / "first").is_symlink()
    assert (tmp_path / "second").is_symlink()
    assert not far.is_symlink()
    assert far.read_text() == "new"
    assert (names(tmp_path), names(tmp_path / "far")) == (["far", "first", "second"], ["a.txt"])


@pytest.mark.parametrize("linked", [True, False])
def test_a_pipe_gets_the_content_and_stays(tmp_path, linked):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("pipe")
    got = []
    reader = threading.Thread(target=lambda: got.append((tmp_path / "pipe").read_text()))
    reader.start()
    write_text(tmp_path / ("link" if linked else "pipe"), "through")
    reader.join()
    assert got == ["through"]
    assert (tmp_path / "pipe").is_fifo()


def test_a_device_stays_a_device(tmp_path):
    write_text("/dev/null", "gone")
    assert Path("/dev/null").is_char_device()
    (tmp_path / "link").symlink_to("/dev/null")
    write_text(tmp_path / "link", "gone")
    assert (tmp_path / "link").is_symlink()
    with pytest.raises(OSError, match="No space left"):
        write_text("/dev/full", "text")
    assert Path("/dev/full").is_char_device()


@pytest.mark.parametrize("name", ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1", "link"])
@pytest.mark.parametrize("sink", ["pipe", "file"])
def test_standard_output_is_written_in_its_order(tmp_path, name, sink):
    (tmp_path / "link").symlink_to("/dev/stdout")
    program = f"from multihot.storage.files import write_text; print('before'); write_text({name!r}, 'middle\\n'); print('after')"
    with (tmp_path / "out").open("w") as file:
        file.write("first\n")
        file.flush()
        output = file if sink == "file" else subprocess.PIPE
        done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, stdout=output, text=True, check=True)
    if sink == "pipe":
        assert done.stdout == "before\nmiddle\nafter\n"
    else:
        assert (tmp_path / "out").read_text() == "first\nbefore\nmiddle\nafter\n"


def make_socket(folder):
    made = socket.socket(socket.AF_UNIX)
    made.bind(str(folder / "there"))
    made.close()


@pytest.mark.parametrize(
    ("make", "name", "said"),
    [
        (lambda folder: (folder / "there").mkdir(), "there", "there is a folder; give the name of a file"),
        (make_socket, "there", "there is a socket"),
        (lambda folder: (folder / "there").symlink_to("there"), "there", "leads back to itself"),
        (lambda folder: (folder / "there").write_text("a file"), "there/a.txt", r"a\.txt would lie below a file"),
        (lambda folder: (folder / "there").write_text("a file"), "there/deep/a.txt", r"a\.txt would lie below a file"),
    ],
)
def test_where_no_file_can_be_is_refused_before_and_at_writing(tmp_path, monkeypatch, make, name, said):
    monkeypatch.chdir(tmp_path)  # the name of a socket must be short
    make(Path())
    before = names(tmp_path)
    with pytest.raises(ConfigurationError, match=said):
        check_target(tmp_path / name)
    with pytest.raises(ConfigurationError, match=said):
        write_text(tmp_path / name, "text")
    assert names(tmp_path) == before


def test_many_writers_at_once_leave_the_whole_content_of_one(tmp_path):
    contents = [str(number) * 100_000 for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda content: write_text(tmp_path / "a.txt", content), contents))
    assert (tmp_path / "a.txt").read_text() in contents
    assert names(tmp_path) == ["a.txt"]


def test_of_two_that_fill_a_folder_the_first_wins(tmp_path):
    with filling(tmp_path / "made") as slow:
        (slow / "a").write_text("slow")
        with filling(tmp_path / "made") as quick:
            (quick / "a").write_text("quick")
    assert (tmp_path / "made" / "a").read_text() == "quick"
    assert names(tmp_path) == ["made"]


def test_leavings_of_killed_writers_go_and_files_of_others_stay(tmp_path):
    old, foreign = tmp_path / ".a.txt-99-0123abcd.partial", tmp_path / ".a.txt-notes.partial"
    for path in (old, foreign):
        path.write_text("half")
    write_text(tmp_path / "a.txt", "new")
    assert old.exists()  # it may still be written to
    os.utime(old, (0, 0))
    os.utime(foreign, (0, 0))
    write_text(tmp_path / "a.txt", "new")
    assert names(tmp_path) == [".a.txt-notes.partial", "a.txt"]
    old.write_text("half")
    storage.remove_leavings(tmp_path)
    assert names(tmp_path) == [".a.txt-notes.partial", "a.txt"]


@pytest.mark.parametrize("name", ["a" * 255, "ü" * 127, ".hidden", "-x", "blank and ü [1]*?"])
def test_names_of_any_kind(tmp_path, name):
    write_text(tmp_path / name, "one")
    write_text(tmp_path / name, "two")
    assert (tmp_path / name).read_text() == "two"
    assert names(tmp_path) == [name]
