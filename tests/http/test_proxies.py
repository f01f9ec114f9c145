"""Whom a proxy speaks for: only proxies of ours are believed, from the right, and nothing that a caller says itself."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringlight.http.proxies import Caller, Proxies, ProxyHeader
from ringlight.settings import ServerSettings

OURS = ("127.0.0.1", "10.0.0.0/8", "fd00::/8")


def said(peer: str, header: ProxyHeader = "x-forwarded-for", **headers: str) -> Caller:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Proxies(OURS, header).caller(peer, named.get)


@pytest.mark.parametrize(
    ("peer", "header", "address"),
    [
        ("127.0.0.1", "192.0.2.7", "192.0.2.7"),
        ("127.0.0.1", "6.6.6.6, 192.0.2.7", "192.0.2.7"),  # what stands before the last was said by the caller
        ("127.0.0.1", "6.6.6.6, 192.0.2.7, 10.1.1.1", "192.0.2.7"),
        ("127.0.0.1", "10.2.2.2, 10.1.1.1", "10.2.2.2"),  # all of them ours: the farthest
        ("127.0.0.1", "", "127.0.0.1"),
        ("127.0.0.1", "nonsense", "127.0.0.1"),
        ("127.0.0.1", "6.6.6.6, nonsense, 10.1.1.1", "10.1.1.1"),
        ("127.0.0.1", "192.0.2.7:4711", "192.0.2.7"),
        ("127.0.0.1", "[2001:db8::7]:4711", "2001:db8::7"),
        ("127.0.0.1", "2001:db8::7", "2001:db8::7"),
        ("::ffff:10.9.9.9", "192.0.2.7", "192.0.2.7"),
        ("198.51.100.1", "192.0.2.7", "198.51.100.1"),  # not a proxy of ours
        ("", "192.0.2.7", ""),
    ],
)
def test_the_first_address_from_the_right_that_is_no_proxy_of_ours_counts(peer: str, header: str, address: str) -> None:
    assert said(peer, x_forwarded_for=header).address == address


def test_by_default_nobody_is_believed() -> None:
    headers = {"x-forwarded-for": "192.0.2.7", "x-forwarded-proto": "https", "forwarded": "for=192.0.2.7"}
    assert Proxies().caller("127.0.0.1", headers.get) == Caller("127.0.0.1")


def test_the_header_that_the_proxies_do_not_write_is_not_read() -> None:
    both = {"x-forwarded-for": "192.0.2.7", "forwarded": "for=6.6.6.6;proto=https"}
    assert Proxies(OURS).caller("127.0.0.1", both.get) == Caller("192.0.2.7")
    assert Proxies(OURS, "forwarded").caller("127.0.0.1", both.get) == Caller("6.6.6.6", "https")


def test_the_scheme_is_what_our_proxy_says_last() -> None:
    assert said("127.0.0.1", x_forwarded_for="192.0.2.7", x_forwarded_proto="https").scheme == "https"
    assert said("127.0.0.1", x_forwarded_proto="https, http").scheme == "http"
    assert said("127.0.0.1", x_forwarded_proto="gopher").scheme is None
    assert said("198.51.100.1", x_forwarded_proto="https").scheme is None


@pytest.mark.parametrize(
    ("header", "caller"),
    [
        (
            'for=6.6.6.6, for="[2001:db8:cafe::17]:4711";proto=https;by=203.0.113.43',
            Caller("2001:db8:cafe::17", "https"),
        ),
        ("for=192.0.2.60;proto=http, for=10.0.0.1;proto=https", Caller("192.0.2.60", "http")),
        ("FOR=192.0.2.60", Caller("192.0.2.60")),
        ("for=_hidden", Caller("127.0.0.1")),
        ('for="6.6.6.6, for="[2001:db8::1]"', Caller("2001:db8::1")),  # the quote was opened by the caller
    ],
)
def test_forwarded_is_read_as_rfc_7239_says(header: str, caller: Caller) -> None:
    assert said("127.0.0.1", "forwarded", forwarded=header) == caller


@given(st.text(max_size=80), st.ip_addresses().map(str), st.sampled_from(["x-forwarded-for", "forwarded"]))
def test_whatever_a_caller_says_what_our_proxy_adds_behind_it_counts(
    lie: str, address: str, header: ProxyHeader
) -> None:
    added = address if header == "x-forwarded-for" else f'for="[{address}]"' if ":" in address else f"for={address}"
    told = {str(header): f"{lie}, {added}"}
    found = Proxies(("127.0.0.1",), header).caller("127.0.0.1", told.get).address
    assert address in (found, "127.0.0.1") or "ffff:" in address, "one in the form of IPv6 is shown as IPv4"


@given(st.text(max_size=200), st.sampled_from(["x-forwarded-for", "forwarded"]))
def test_no_header_breaks_it(text: str, header: ProxyHeader) -> None:
    Proxies(OURS, header).caller("10.0.0.1", {header: text, "x-forwarded-proto": text}.get)


def test_a_network_that_is_none_is_refused_by_the_settings() -> None:
    with pytest.raises(ValueError, match="does not appear to be an IPv4 or IPv6 network"):
        ServerSettings(trusted_proxies=["the proxy"])
