"""Networks and addresses against Python's ipaddress module.

    cidr_oracle.py run CIDR_CLI COUNT [SEED]     COUNT random questions, compared one by one

CIDR_CLI is the program built from tests/unit/cidr_cli.c. Under pytest the environment variable
CK_CIDR_CLI names it and 100,000 questions are asked. The module knows the arithmetic; what Go's
net.ParseCIDR reads differently is written out here as a rule.
"""

import ipaddress
import os
import random
import subprocess
import sys

MAPPED = ipaddress.ip_network("::ffff:0:0/96")


# ---- what Go accepts, and how it prints ----

def address(text):
    """Like net.ParseIP: an address, IPv4 when it is an IPv4-mapped one; None when it is none."""
    if "%" in text:
        return None
    try:
        ip = ipaddress.ip_address(text)
    except ValueError:
        return None
    return ip.ipv4_mapped or ip if ip.version == 6 else ip


def network(text):
    """Like net.ParseCIDR: (address, network) or None."""
    host, slash, length = text.partition("/")
    ip = address(host)
    if not slash or ip is None or not (length.isascii() and length.isdigit()):
        return None
    n = int(length)
    if ":" not in host:
        return (ip, ipaddress.ip_network((ip, n), strict=False)) if n <= 32 else None
    if n > 128:
        return None
    net = ipaddress.ip_network((ipaddress.IPv6Address(host), n), strict=False)
    if net.subnet_of(MAPPED):
        net = ipaddress.ip_network((net.network_address.ipv4_mapped, n - 96))
    return ip, net


def plain(ip):
    """IP.String: ipaddress writes ::1.2.3.4-like addresses in groups of hexadecimal, as Go does."""
    return ip.compressed


def say(net):
    return "none" if net is None else "%s/%d" % (plain(net.network_address), net.prefixlen)


def nth(net, length, index):
    extra = length - net.prefixlen
    if extra < 0 or length > net.max_prefixlen or index >= 1 << extra:
        return None
    base = int(net.network_address) + (index << (net.max_prefixlen - length))
    return ipaddress.ip_network((type(net.network_address)(base), length))


# ---- answers ----

def parse(text):
    found = network(text)
    return "%s %s" % (plain(found[0]), say(found[1])) if found else "invalid CIDR address: " + text


def overlap(x, y):
    return str(int(x.version == y.version and x.overlaps(y)))


def within(parent, child):
    return str(int(parent.version == child.version and child.subnet_of(parent)))


def split(net, n):
    extra = n.bit_length() - 1
    if not n or n & (n - 1) or net.prefixlen + extra > net.max_prefixlen:
        return "none"
    return " ".join(say(s) for s in net.subnets(prefixlen_diff=extra))


def add(ip, offset):
    n = int(ip) + offset
    return plain(type(ip)(n)) if 0 <= n < 1 << ip.max_prefixlen else "none"


def compare(x, y):
    a, b = (x.version, int(x)), (y.version, int(y))
    return str((a > b) - (a < b))


# ---- questions ----

class Questions:
    def __init__(self, seed):
        self.r = random.Random(seed)

    def v6_int(self):
        n = 0
        for _ in range(8):
            n = n << 16 | self.r.choice((0, 0, 0xffff, self.r.getrandbits(16), self.r.randrange(16)))
        return n

    def ip(self):
        if self.r.random() < 0.5:
            n = self.r.choice((self.r.getrandbits(32), 10 << 24 | self.r.getrandbits(24), 0,
                               2**32 - 1))
            return ipaddress.IPv4Address(n)
        return address(str(ipaddress.IPv6Address(self.v6_int())))

    def net(self):
        ip = self.ip()
        return network("%s/%d" % (ip, self.r.randint(0, ip.max_prefixlen)))[1]

    def near(self, net):
        """A network that has something to do with `net`."""
        length = self.r.randint(0, net.max_prefixlen)
        n = int(net.network_address) ^ (1 << self.r.randrange(net.max_prefixlen))
        base = type(net.network_address)(self.r.choice((n, int(net.network_address))))
        return self.r.choice((self.net(), network("%s/%d" % (base, length))[1]))

    def ip_text(self):
        ip = self.ip()
        how = self.r.randrange(6)
        if how == 0 and ip.version == 6:
            return ip.exploded.upper()
        if how == 1 and ip.version == 4:
            return "%s%s" % (self.r.choice(("::ffff:", "::", "0:0:0:0:0:ffff:", "1::", "::ffff:0:")),
                             ip)
        if how == 2:
            text = list(str(ip))
            for _ in range(self.r.randint(1, 2)):
                at = self.r.randrange(len(text))
                text[at] = self.r.choice(("", ":", "::", ".", "0", "g", "256", "%1", " ", "-",
                                          text[at] * 2))
            return "".join(text)
        return str(ip)

    def cidr_text(self):
        n = self.r.choice((0, 8, 16, 24, 31, 32, 33, 64, 96, 100, 128, 129, self.r.randrange(140)))
        length = self.r.choice((str(n),) * 8 + ("0%d" % n, "", "+1", "-1", "a", "%d/" % n, "1e1"))
        return self.r.choice(("%s/%s",) * 12 + ("%s%s", " %s/%s")) % (self.ip_text(), length)

    def one(self):
        """The words of a question and its answer."""
        verb = self.r.randrange(10)
        net = self.net()
        if verb == 0:
            text = self.cidr_text()
            return ("parse", text), parse(text)
        if verb == 1:
            text = self.ip_text()
            ip = address(text)
            return ("ip", text), plain(ip) if ip else "none"
        if verb == 2:
            ip = address(str(self.r.choice((self.ip(), self.near(net).network_address,
                                            net[self.r.choice((0, -1))]))))
            return ("contains", net, ip), str(int(ip in net))
        if verb == 3:
            other = self.near(net)
            return ("within", net, other), within(net, other)
        if verb == 4:
            other = self.near(net)
            return ("overlap", net, other), overlap(net, other)
        length = min(net.prefixlen + self.r.randrange(-1, 66), net.max_prefixlen + 1)
        room = min(max(length - net.prefixlen, 0), 62)
        index = self.r.choice((0, 1, self.r.randint(0, 1 << room), (1 << room) - 1))
        if verb == 5:
            return ("nth", net, length, index), say(nth(net, length, index))
        if verb == 6:
            place = "/%d#%x" % (length, index)
            return ("place", net, place), say(nth(net, length, index) if length <= 128 else None)
        if verb == 7:
            n = self.r.choice((0, 1, 2, 3, 4, 7, 8, 16))
            return ("split", net, n), split(net, n)
        ip = self.ip()
        if verb == 8:
            offset = self.r.choice((1, -1, 10, self.r.randint(-2**40, 2**40), 2**63 - 1, -2**63,
                                    self.r.randint(-2**33, 2**33)))
            return ("add", ip, offset), add(ip, offset)
        other = self.r.choice((ip, self.ip()))
        return ("cmp", ip, other), compare(ip, other)


def run(cli, count, seed=1):
    questions = Questions(seed)
    done = 0
    while done < count:
        batch = [questions.one() for _ in range(min(20000, count - done))]
        text = "".join("\t".join(str(w) for w in words) + "\n" for words, _ in batch)
        out = subprocess.run([cli], input=text, check=True, capture_output=True, text=True).stdout
        answers = out.split("\n")[:-1]
        if len(answers) != len(batch):
            raise AssertionError("%d answers to %d questions" % (len(answers), len(batch)))
        for (words, want), got in zip(batch, answers):
            if want != got:
                raise AssertionError("%s: %r, ipaddress has %r" % (" ".join(map(str, words)), got,
                                                                   want))
        done += len(batch)
    return done


def test_networks_agree_with_the_ipaddress_module():
    import pytest
    cli = os.environ.get("CK_CIDR_CLI")
    if not cli:
        pytest.skip("CK_CIDR_CLI does not name the program built from tests/unit/cidr_cli.c")
    assert run(cli, 100000) == 100000


if __name__ == "__main__":
    if len(sys.argv) not in (4, 5) or sys.argv[1] != "run":
        raise SystemExit(__doc__)
    print("%d answers agree" % run(sys.argv[2], int(sys.argv[3]), *map(int, sys.argv[4:])))
