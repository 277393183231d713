"""200 names of objects that somebody may have planted in a store, and what a copy into a folder has to do with them.

REFUSED   no file of a folder can have the name, or it leads out: the whole copy is refused, each name quoted, nothing written
COPIED    odd, but a file can have it: copied exactly, and back again
ALONE     cannot be beside another key of the table, or is kept for unfinished files: fails by itself, quoted, others are copied

Bytes that are no UTF-8 are written as surrogates, as os.fsdecode() does."""

REFUSED = [
    # out of the destination
    "..", "../x", "../../x", "a/../x", "a/../../x", "a/..", "..//x", "../", "a/b/../../../x", "../.ssh/authorized_keys", ".../../x",
    *("../" * i + "etc/passwd" for i in range(3, 13)),
    *("a/" * i + "../" * (i + 1) + "x" for i in range(2, 12)),
    *(f"up{i}/" + "../" * 40 + "tmp/x" for i in range(3)),
    # absolute
    "/x", "//x", "/etc/passwd", "/", "//", "/proc/self/mem", "/dev/null", "/.", "/..",
    # no path of a folder
    ".", "./x", "a/./x", "a/.", "a//x", "a///x", "a/", "a/b/", "trailing/slash/", "a//", "/a/", "./", "./..",
    # control characters
    "a\nb", "a\x01", "\x7f", "a\x1b[2J", "a/\r/x", "a\tb", "\x1b]0;title\x07", "\n", "a\x08\x08\x08b", "x\x1f/y", "line\r\nfailed: \"forged\": ok",
    # longer than a file's name can be, deeper than a store is
    "x" * 256, "a/" + "y" * 300, "z" * 1024, "é" * 128, "deep/" * 65 + "x", "b/" * 511 + "xy",
]

COPIED = [
    # dots that lead nowhere
    "...", "....", "..a", "a..", "a...", "a/...", ".hidden", "..hidden/x", ".a/..b/c..", "a.", "a ", " a", " ", "a/ /b", "a. .", "dots./x.",
    # devices and special names of other systems, and of this one as relative paths
    "CON", "con", "nul", "NUL.txt", "aux", "aux.txt", "PRN", "COM1", "com9.log", "LPT1", "CLOCK$", "CONIN$", "dev/null", "proc/self/environ", "dev/sda",
    # separators of other systems
    "c:x", "C:\\x", "C:\\Windows\\x", "..\\x", "a\\..\\..\\x", "\\\\server\\share", "\\", "a\\b", "file::$DATA",
    # shells, options, formats
    "~", "~root/x", "-rf", "--delete", "-", "$HOME", "${HOME}", "`id`", "$(id)", "a b", "*", "?", "[a]", "{a,b}", "|x", ";x", "&", "'", '"', "a\"b'c", "%s%n%n", "%d",
    "!x", "#x", "<x>", "a=b", "a,b", "a+b", "+", "@x", "^", "(x)",
    # escapes that must not be undone, or be undone once
    "%2e%2e/x", "%2F", "%2Fetc%2Fpasswd", "%00", "%", "%%", "%zz", "a%20b", "&lt;", "&amp;", "&#x2e;&#x2e;/x", "<Key>x</Key>", "]]>", "%25%32%65", "\\u002e\\u002e", "..%c0%af",
    # cases that differ only
    "case/x", "case/X", "Case/x", "CASE/X", "stra\u00dfe", "STRASSE", "\u0131", "i\u0307",
    # normal forms and look-alikes
    "e\u0301", "\u00e9", "\u212b", "\u00c5", "A\u030a", "\ufb01", "fi", "\u202etxt.exe", "\u200b", "a\u200bb", "\ufeffx", "\u2024\u2024/x", "\uff0e\uff0e/x", "\u2215etc", "\U0001f512",
    # bytes that are no UTF-8
    "\udcff", "a\udc80b", "\udcc0\udcae\udcc0\udcae/x", "caf\udce9",
    # as long as they can be
    "n" * 255, "\u00e9" * 127, "/".join(["d" * 200] * 5), "/".join(["m" * 255] * 4), "deep/" * 64 + "x",
    # files that programs look for
    ".git/config", ".ssh/authorized_keys", ".bashrc", "lost+found/x", ".ckops/x", "config", "tmp1", "core",
]

ALONE = ["file", "file/below", "over/deeper/x", "over", ".ckops-tmp-0123456789abcdef", "tmp1234567"]

COUNT = len(REFUSED) + len(COPIED) + len(ALONE)
assert COUNT >= 200 and len({*REFUSED, *COPIED, *ALONE}) == COUNT, COUNT
