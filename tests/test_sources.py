"""Names of data sets whose files are made absolute."""

from pathlib import Path

import pytest

from qap.sources import in_folder, read_table_source


@pytest.mark.parametrize(
    ("name", "absolute"),
    [
        ("digits", "digits"),
        ("mnist-1v9", "mnist-1v9"),
        ("npz:a.npz", "npz:/pro ject/a.npz"),
        ("npz:../b/a?.npz", "npz:/pro ject/../b/a?.npz"),
        ("npz:/x/a.npz", "npz:/x/a.npz"),
        ("npz:~/a.npz", "npz:~/a.npz"),
        ("npz:", "npz:"),
        ("csv:a.csv?label=x", "csv:/pro ject/a.csv?label=x"),
        ("csv:a?.csv?label=x", "csv:/pro ject/a?.csv?label=x"),
        ("csv:/x/a.csv?label=x&test=b.csv", "csv:/x/a.csv?label=x&test=/pro%20ject/b.csv"),
        ("csv:a.csv?label=a%26b%25&test=c%3F.csv", "csv:/pro ject/a.csv?label=a%26b%25&test=/pro%20ject/c%3F.csv"),
        ("csv:a.csv", "csv:a.csv"),
        ("csv:a.csv?colour=x", "csv:a.csv?colour=x"),
        ("npz:a\0.npz", "npz:a\0.npz"),
    ],
)
def test_relative_files_get_a_folder(name, absolute):
    found = in_folder(name, Path("/pro ject"))
    assert found == absolute
    assert in_folder(found, Path("/elsewhere")) == found


def test_what_is_written_is_read_back():
    label, test = "a&b?c%d=e ü", "t&e?s%t=.csv"
    source = "a?.csv?label=a%26b%3Fc%25d=e ü&test=t%26e%3Fs%25t=.csv"
    assert read_table_source(source) == ("a?.csv", {"label": label, "test": test})
    made = in_folder(f"csv:{source}", Path("/"))
    assert read_table_source(made.removeprefix("csv:")) == ("/a?.csv", {"label": label, "test": f"/{test}"})


def test_a_folder_that_is_no_text_leaves_the_name():
    assert in_folder("npz:a.npz", Path("/\udcff")) == "npz:a.npz"
