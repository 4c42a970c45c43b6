"""What is secret or personal does not leave the process in a log line."""

import string

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from bot.core.logs import redact, signature
from bot.core.redaction import LONGEST_LINE

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJib2IifQ.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("login failed: password=hunter2", "login failed: password=<secret>"),
        ("PGPASSWORD=hunter2 psql -h db", "PGPASSWORD=<secret> psql -h db"),
        (
            '{"user": "bob", "apiKey": "a\\"b c", "n": 1}',
            '{"user": "bob", "apiKey": <secret>, "n": 1}',
        ),
        (
            'msg="{\\"api_key\\": \\"hunter2\\", \\"n\\": 1}"',
            'msg="{\\"api_key\\": <secret>, \\"n\\": 1}"',
        ),
        ("{'client_secret': 'hunter2', 'n': 1}", "{'client_secret': <secret>, 'n': 1}"),
        ('{:password=>"hunter2", :n=>1}', "{:password=><secret>, :n=>1}"),
        ("Login(user=bob, passwd=hunter2)", "Login(user=bob, passwd=<secret>"),
        ('"passwords": ["a", "b c"], "n": 1', '"passwords": <secret>, "n": 1'),
        ("user=bob;password=a;b&c,d;timeout=3", "user=bob;password=<secret>;timeout=3"),
        ("<db><password>hunter2</password></db>", "<db><password><secret></password></db>"),
        ("mysql --password hunter2 -h db", "mysql --password <secret> -h db"),
        ("Authorization: Bearer hunter2", "Authorization: <secret>"),
        (
            "{'Authorization': 'Basic dXNlcjpw', 'Accept': '*/*'}",
            "{'Authorization': <secret>', 'Accept': '*/*'}",
        ),
        ("Cookie: a=hunter2; b=hunter2", "Cookie: <secret>"),
        ("X-Api-Key: hunter2", "X-Api-Key: <secret>"),
        ("sent bearer hunter2 to the API", "sent bearer <secret> to the API"),
        ("postgres://bob:hun/ter@2@db:5432/shop", "postgres://<secret>@db:5432/shop"),
        ("redis://:hunter2@cache:6379 is down", "redis://<secret>@cache:6379 is down"),
        ("https://bob@example.com/x", "https://<secret>@example.com/x"),
        ("GET /cb?code=hunter2&state=1", "GET /cb?code=<secret>&state=1"),
        ("GET /x?X-Amz-Signature=abc&a=1", "GET /x?X-Amz-Signature=<secret>&a=1"),
        (f"got {JWT} back", "got <secret> back"),
        ("key AKIAIOSFODNN7EXAMPLE denied", "key <secret> denied"),
        ("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "<secret>"),
        ("ghp_abcdefghijklmnopqrstuvwxyz0123456789", "<secret>"),
        ("xoxb-123456789012-abcdefGHIJKL", "<secret>"),
        ("https://hooks.slack.com/services/T0/B0/abc", "https://hooks.slack.com/<secret>"),
        ("sk_live_abcdefghijklmnop1234", "<secret>"),
        (
            "-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabc=\n-----END RSA PRIVATE KEY-----\nthen",
            "<secret> ↵ then",
        ),
        ("mail to bob.o'hara+x@example.com bounced", "mail to <email> bounced"),
        ("GET /u?mail=bob%40example.com", "GET /u?mail=<email>"),
        ("card 4111 1111 1111 1111 declined", "card <card> declined"),
        ("card 4111-1111-1111-1111 declined", "card <card> declined"),
        ("Key (email)=(bob (x)) already exists.", "Key (email)=(<value>) already exists."),
        ("Failing row contains (1, Bob, 12).", "Failing row contains (<value>)"),
        ("Duplicate entry 'Bob' for key 'u.name'", "Duplicate entry '<value>' for key 'u.name'"),
        ("[parameters: (1, 'Bob')] (Background", "[parameters: <value>] (Background"),
        ("\x1b[31mred\x1b[0m \x00alert", "red  alert"),
    ],
)
def test_secrets_and_personal_data_are_taken_out(line: str, expected: str) -> None:
    """Each is replaced by its kind, and the rest of the line stays."""
    assert redact(line) == expected


@pytest.mark.parametrize(
    "line",
    [
        'column "password" does not exist',
        "KeyError: 'password'",
        "token: expired",
        "password=None is not allowed",
        "Unexpected token < in JSON at position 0",
        "basic authentication failed",
        'password authentication failed for user "bob"',
        "author: Bob, compass: north, bypass: on, ping: 3 ms",
        "std::token::parse failed",
        "https://api.example.com:8443/path answered 503",
        "order 4111111111111112 not found",
        "trace_id=4bf92f3577b34da6a3ce929d0e0e4736 failed",
        "request 550e8400-e29b-41d4-a716-446655440000 failed",
        "pod checkout-service-7d9f8b6c5d-x2k4q restarted",
        "org.springframework.aop.framework.AbstractSingletonProxyFactoryBean failed",
        "/usr/lib/python3.11/site-packages/psycopg2/extensions.py",
        "connect to 10.0.0.7:5432 refused",
    ],
)
def test_what_explains_an_error_stays(line: str) -> None:
    """Names of columns, hosts, traces and kinds of failure are no secrets."""
    assert redact(line) == line


SECRETS = st.text(
    string.ascii_letters + string.digits + "!#$%*+-./:?@^_~", min_size=12, max_size=30
)
PLACES = st.sampled_from(
    [
        "password={}",
        "db_password: {}",
        "DB_PASSWD={} next=1",
        'login {{"user": "bob", "password": "{}"}} failed',
        "{{'token': '{}', 'x': 1}}",
        'msg="{{\\"secret\\": \\"{}\\"}}"',
        "Authorization: Bearer {}",
        "authorization: Token {}\nsecond line",
        "X-Api-Key: {}",
        "Set-Cookie: session={}; Path=/",
        "curl -H 'Authorization: Bearer {}' https://x",
        "--api-key {} --verbose",
        "<secret>{}</secret>",
        "config[:password]=>{}",
        "access_key={}&x=1",
    ]
)


@given(PLACES, SECRETS, st.sampled_from(["", "x " * 100, "line\n", "[12:00] ERROR "]))
@example("password={}", "not-a-harmless-word", "")
def test_a_planted_secret_never_survives(place: str, secret: str, before: str) -> None:
    """Whatever a secret looks like, its name or place gives it away, in lines and signatures."""
    assume(not secret.startswith(("-", ":", "/")))
    line = before + place.format(secret)
    assert secret not in redact(line)
    assert secret not in signature(line)


@given(
    st.text(string.ascii_letters + string.digits + "-_~!*:/", min_size=8, max_size=30),
    st.sampled_from(["postgres", "redis", "https", "amqp"]),
)
def test_the_user_of_an_address_never_survives(password: str, scheme: str) -> None:
    """Whatever stands between the scheme and the host is taken out."""
    assert password not in redact(f"{scheme}://bob:{password}@db.example.com:5432/x is down")


@given(st.text(max_size=300))
def test_a_redacted_line_is_one_bounded_line(line: str) -> None:
    """Nothing breaks a line, and redacting twice finds nothing more."""
    once = redact(line)
    assert len(once) <= LONGEST_LINE
    assert "\n" not in once
    assert redact(once) == once


def test_a_long_traceback_keeps_its_end() -> None:
    """The exception at the end of a long traceback is not cut off."""
    text = "Traceback (most recent call last):\n" + "  File x\n" * 5000 + "DataError: bad"
    line = redact(text)
    assert line.startswith("Traceback (most recent call last): ↵ File x")
    assert line.endswith("DataError: bad")
    assert len(line) == LONGEST_LINE


def test_half_a_secret_is_not_shown() -> None:
    """Where a text is too long to be looked at whole, it goes on with a whole line."""
    secret = "s3cret" * 2000
    assert "s3cret" not in redact(f"first\npassword={secret}\nlast")
