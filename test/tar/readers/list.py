"""Lists the tar archive on standard input as Python's tarfile reads it: one JSON object a line, bytes as latin1."""
import hashlib, json, sys, tarfile

TYPES = {b"0": "file", b"1": "hardlink", b"2": "symlink", b"3": "character", b"4": "block", b"5": "directory", b"6": "fifo"}


def units(text):
    return text.encode("utf-8", "surrogateescape").decode("latin1")


with tarfile.open(fileobj=sys.stdin.buffer, mode="r|", encoding="utf-8", errors="surrogateescape") as archive:
    for member in archive:
        kind = TYPES[member.type]
        print(json.dumps({
            "path": units(member.name),
            "type": kind,
            "mode": member.mode,
            "uid": member.uid,
            "gid": member.gid,
            "size": member.size,
            "mtime": int(member.mtime),
            "link": units(member.linkname) if kind in ("hardlink", "symlink") else "",
            "device": [member.devmajor, member.devminor] if kind in ("character", "block") else [0, 0],
            "sha256": hashlib.sha256(archive.extractfile(member).read()).hexdigest() if kind == "file" else "",
        }))
