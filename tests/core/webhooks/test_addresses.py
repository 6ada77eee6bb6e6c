"""No webhook is sent to this machine or a private network."""

import socket
import ssl

import pytest
import trustme

from core.settings import WebhookRules
from core.webhooks.addresses import Refused, check_url
from tests.core.webhooks.receiver import receiving
from tests.core.webhooks.rows import LOCAL, add_hook, pass_time, read_hook, sender
from tests.live import free_port

PUBLIC = "93.184.215.14"
STRICT = WebhookRules(ports=[443, 80], timeout_seconds=2.0)

# {port} is the port of a listener on this machine; the rules allow this port
HOSTILE = [
    "http://127.0.0.1:{port}/",
    "https://127.0.0.1:{port}/",
    "https://127.1:{port}/",
    "https://0:{port}/",
    "https://0.0.0.0:{port}/",
    "https://2130706433:{port}/",
    "https://0x7f000001:{port}/",
    "https://0x7f.0.0.1:{port}/",
    "https://017700000001:{port}/",
    "https://127.0.0.1.:{port}/",
    "https://127.8.9.1:{port}/",
    "https://localhost:{port}/",
    "https://LOCALHOST:{port}/",
    "https://localhost.:{port}/",
    "https://[::1]:{port}/",
    "https://[::]:{port}/",
    "https://[0:0:0:0:0:0:0:1]:{port}/",
    "https://[::ffff:127.0.0.1]:{port}/",
    "https://[::ffff:7f00:1]:{port}/",
    "https://[::127.0.0.1]:{port}/",
    "https://[64:ff9b::127.0.0.1]:{port}/",
    "https://[64:ff9b:1::7f00:1]:{port}/",
    "https://[2002:7f00:1::]:{port}/",
    "https://[2001:0:7f00:1::]:{port}/",
    "https://[fe80::1]:{port}/",
    "https://[fec0::1]:{port}/",
    "https://[fd00::1]:{port}/",
    "https://[ff02::1]:{port}/",
    "https://10.0.0.1:{port}/",
    "https://172.16.0.1:{port}/",
    "https://192.168.1.1:{port}/",
    "https://100.64.0.1:{port}/",
    "https://169.254.169.254/latest/meta-data",
    "https://224.0.0.1:{port}/",
    "https://255.255.255.255:{port}/",
    "https://240.0.0.1:{port}/",
    "https://example.com@127.0.0.1:{port}/",
    "https://127.0.0.1:{port}\\@example.com/",
    "https://private.test:{port}/",
    "https://mixed.test:{port}/",
    "https://nowhere.test:{port}/",
    "https://%31%32%37.0.0.1:{port}/",
    "https://\u2460\u2461\u2466.0.0.1:{port}/",
    "https://127.0.0.1:{port}#@example.com/",
    "ftp://127.0.0.1:{port}/",
    "file:///etc/passwd",
    "unix:///tmp/socket",
    "gopher://127.0.0.1:{port}/_x",
    "//127.0.0.1:{port}/",
    "https://",
]  # fmt: skip
NAMES = {"private.test": ["10.1.2.3"], "mixed.test": [PUBLIC, "127.0.0.1"]}


def resolve(host, port):
    """Resolve the names of these tests, and other names by the system."""
    if host.endswith(".test"):
        return NAMES.get(host, [])
    try:
        return [entry[4][0] for entry in socket.getaddrinfo(host, port)]
    except OSError as error:
        raise Refused("the host has no address") from error


@pytest.fixture
def connected(monkeypatch):
    """Record every address of a connection; refuse addresses other than loopback."""
    found = []
    connect = socket.create_connection

    def recording(address, *args, **options):
        found.append(address)
        if not address[0].startswith("127."):
            raise ConnectionRefusedError
        return connect(address, *args, **options)

    monkeypatch.setattr(socket, "create_connection", recording)
    return found


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_hostile_urls_cause_no_connection(database, connected):
    """Fifty URLs are stored without a check and sent."""
    assert len(HOSTILE) == len(set(HOSTILE)) == 50
    with receiving() as receiver:
        rules = STRICT.model_copy(update={"ports": [443, 80, receiver.port]})
        runs = [add_hook(database, url.format(port=receiver.port)) for url in HOSTILE]
        webhooks = sender(database, rules, resolve=resolve)
        sent = 0
        while sending := webhooks.send_due():
            sent += sending
        assert sent == 50
        assert (receiver.connections, connected) == (0, [])
        for run_id in runs:
            read = read_hook(database, run_id)
            assert (read.status, read.attempts, read.last_status) == ("waiting", 1, None)
            assert read.last_error.startswith("refused: "), read.url


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_without_the_rules_the_listener_is_reached(database, connected):
    """This control shows that the sender works in these tests."""
    with receiving() as receiver:
        add_hook(database, receiver.url)
        sender(database, LOCAL, resolve=resolve).send_due()
        assert (receiver.connections, len(connected)) == (1, 1)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_name_that_changes_its_address_is_not_followed(database, connected):
    """The sender connects to the address that it checked, not to a later one."""
    lookups = []

    def rebinding(host, port):
        lookups.append(host)
        return [PUBLIC] if len(lookups) % 2 else ["127.0.0.1"]

    run_id = add_hook(database, "https://rebinding.test/hook")
    webhooks = sender(database, STRICT, resolve=rebinding)
    webhooks.send_due()
    assert (lookups, connected) == (["rebinding.test"], [(PUBLIC, 443)])
    assert read_hook(database, run_id).last_error == "no answer: ConnectError"
    pass_time(database, 10)
    webhooks.send_due()
    assert (len(lookups), len(connected)) == (2, 1)
    assert "public" in read_hook(database, run_id).last_error


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_tls_and_host_use_the_name_with_a_pinned_address(database):
    """SNI, certificate and Host have the name; a certificate for another name is refused."""
    ca = trustme.CA()
    trust = ssl.create_default_context()
    ca.configure_trust(trust)
    for names, count in ((["hooks.test"], 1), (["other.test"], 0)):
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        ca.issue_cert(*names).configure_cert(tls)
        with receiving(tls) as receiver:
            run_id = add_hook(database, f"https://hooks.test:{receiver.port}/a?b=c")
            everywhere = {"resolve": lambda *_: ["127.0.0.1"], "trust": lambda: trust}
            sender(database, **everywhere).send_due()
            assert (len(receiver.requests), receiver.connections) == (count, 1)
            assert receiver.names == ["hooks.test"]
            if count:
                headers = receiver.requests[0][0]
                assert headers["host"] == f"hooks.test:{receiver.port}"
                assert headers[""] == "/a?b=c"
        status = read_hook(database, run_id).status
        assert status == ("delivered" if count else "waiting")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_no_proxy_is_taken_from_the_environment(database, monkeypatch):
    """A proxy would resolve and connect without these rules."""
    with receiving() as proxy, receiving() as receiver:
        for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        add_hook(database, receiver.url)
        sender(database).send_due()
        assert (proxy.connections, receiver.connections) == (0, 1)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://example.com/", "expected https"),
        ("ftp://example.com/", "expected https"),
        ("example.com", "expected https"),
        ("https://example.com:8443/", "8443"),
        ("https://u:p@example.com/", "user name"),
        ("https://10.0.0.1/", "public"),
        ("https://[::1]/", "public"),
        ("https://192.0.0.8/", "public"),
        ("https://192.88.99.1/", "public"),
        ("https://[3fff::1]/", "public"),
        ("https://exa mple\x7f.com/", "not a valid URL"),
        (f"https://example.com:{'9' * 30}/", "port from 1 to 65535"),
        ("https://example.com:0/", "port from 1 to 65535"),
        ("https://example..com/", "between two dots"),
        (f"https://{'a' * 64}.com/", "between two dots"),
    ],
)
def test_a_forbidden_url_is_refused_before_the_run(url, reason):
    with pytest.raises(Refused, match=reason):
        check_url(url, WebhookRules())


def test_loopback_is_allowed_by_a_setting_only():
    """The setting allows http and any port for loopback addresses only."""
    check_url(f"http://localhost:{free_port()}/", LOCAL)
    check_url("https://hooks.example.com/run?token=1", WebhookRules())
    for url in ("http://10.0.0.1/", f"http://localhost:{'9' * 30}/"):
        with pytest.raises(Refused):
            check_url(url, LOCAL)
