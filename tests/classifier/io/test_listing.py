"""Files below a folder: sorted, hidden ones passed over, linked folders followed, each folder once."""

from __future__ import annotations

import os

from classifier.io.listing import files_below, local_files


def test_links_to_folders_are_followed_and_every_folder_is_read_once(tmp_path):
    for name in ("crawl/a/1.txt", "crawl/.hidden/2.txt", "crawl/out/3.txt", "elsewhere/b/4.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    crawl = tmp_path / "crawl"
    (crawl / "c").symlink_to(tmp_path / "elsewhere")
    (crawl / "d").symlink_to(tmp_path / "elsewhere" / "b")
    (tmp_path / "elsewhere" / "up").symlink_to(crawl)
    (crawl / "a" / "again").symlink_to(crawl / "a")
    found = [place for _, place in local_files(str(crawl), str(crawl / "out"))]
    assert found == ["a/1.txt", "d/4.txt"] or found == ["a/1.txt", "c/b/4.txt"]
    assert [os.path.relpath(entry.path, crawl) for entry in files_below(str(crawl))] == ["a/1.txt", found[1], "out/3.txt"]
