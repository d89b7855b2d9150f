"""Each kind of target takes a message as its own protocol has it."""

import logging

import pytest
import yaml
from typer.testing import CliRunner

from swarm.alerts.senders import Undelivered, sender
from swarm.alerts.wording import line
from swarm.cli.main import app
from swarm.config import AlertTarget
from swarm.demo.processes import free_ports
from swarm.errors import ConfigError
from swarm.model.alerts import Alert, Told
from swarm.model.findings import FindingKind
from swarm.model.keys import PipelineKey
from tests.integration.alerts.receivers import a_certificate, a_mail_server, an_http_receiver
from tests.unit.alerts.builders import a_finding, closed

URL = "https://swarm.example.org"
SECRET = "abcdefghijklmnopqrstuvwx"


@pytest.fixture
def receiver():
    with an_http_receiver() as running:
        yield running


@pytest.fixture
def target(tmp_path):
    def make(kind, address, **said):
        file = tmp_path / "address"
        file.write_text(address + "\n")
        return AlertTarget(name="oncall", kind=kind, address_file=file, **said)

    return make


def an_alert(finding=None, id_="oncall-1"):
    finding = finding or a_finding()
    told = Told(finding.id, finding.first_seen_s)
    opened, ended = ((), (told,)) if finding.closed_at_s is not None else ((told,), ())
    return Alert(id_, "oncall", 100.0, opened, ended, (line(finding, told, URL),))


def test_a_webhook_is_sent_json_with_a_key(receiver, target):
    sender(target("webhook", f"http://127.0.0.1:{receiver.port}/in?of=us"))(an_alert())
    (taken,) = receiver.taken
    assert taken.path == "/in?of=us"
    assert taken.headers["Idempotency-Key"] == "oncall-1"
    assert taken.told["schema_version"] == 1
    assert taken.told["title"].startswith("swarm: stale read")
    (row,) = taken.told["findings"]
    assert row["remedy"].startswith("Start dagster/report")
    del row["text"], row["remedy"]
    assert row == {
        "finding": "f1",
        "key": "f1-100",
        "first_seen_s": 100.0,
        "kind": "stale_read",
        "level": "warn",
        "closed": False,
        "link": f"{URL}/findings?open=f1",
    }


def test_pagerduty_gets_an_incident_and_its_end_under_one_key(receiver, target):
    send = sender(target("pagerduty", SECRET, url=f"http://127.0.0.1:{receiver.port}/v2/enqueue"))
    send(an_alert())
    send(an_alert(closed(a_finding(), 900.0), "oncall-2"))
    trigger, resolve = (taken.told for taken in receiver.taken)
    assert (trigger["event_action"], resolve["event_action"]) == ("trigger", "resolve")
    assert trigger["routing_key"] == resolve["routing_key"] == SECRET
    assert trigger["dedup_key"] == resolve["dedup_key"] == "swarm-f1-100"
    assert trigger["payload"]["severity"] == "warning"
    assert trigger["payload"]["summary"].startswith("swarm: stale read: dagster/report")
    assert trigger["payload"]["source"] == "swarm"
    assert "payload" not in resolve


def test_slack_gets_words(receiver, target, monkeypatch):
    from apprise.plugins.slack import NotifySlack

    monkeypatch.setattr(NotifySlack, "webhook_url", f"http://127.0.0.1:{receiver.port}")
    send = sender(target("slack", f"https://hooks.slack.com/services/T12345678/B12345678/{SECRET}"))
    evil = PipelineKey("airflow", "<!channel> <https://evil.example.org|look>")
    send(an_alert(a_finding(kind=FindingKind.CYCLE, pipelines=(evil,))))
    (taken,) = receiver.taken
    assert taken.path == f"/T12345678/B12345678/{SECRET}"
    said = str(taken.told)
    assert "pprise" not in said, "no name of its maker, and no picture from there"
    assert "swarm: cycle: airflow/" in said
    assert "<" not in said, "a name could call the whole channel"
    assert f"{URL}/findings?open=f1" in said


def test_teams_gets_a_card(tmp_path, target, monkeypatch):
    certificate = a_certificate(tmp_path)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    with an_http_receiver(certificate) as receiver:
        address = f"workflows://127.0.0.1:{receiver.port}/abcdef123/{SECRET}"
        sender(target("teams", address))(an_alert())
        (taken,) = receiver.taken
    assert taken.path.startswith("/workflows/abcdef123/triggers/manual/paths/invoke?")
    (card,) = taken.told["attachments"]
    assert "pprise" not in str(card)
    assert card["contentType"] == "application/vnd.microsoft.card.adaptive"
    assert "stale read: dagster/report" in str(card["content"])


def test_a_letter_is_sent(target):
    with a_mail_server() as (port, letters):
        address = (
            f"mailto://127.0.0.1:{port}?from=swarm@example.org&to=oncall@example.org&mode=insecure"
        )
        sender(target("email", address))(an_alert())
        (letter,) = letters
    assert letter["X-Swarm-Alert"] == "oncall-1"
    assert "pprise" not in letter.as_string()
    assert letter["Subject"].startswith("swarm: stale read: dagster/report")
    assert "oncall@example.org" in letter["To"]
    assert letter.get_content_type() == "text/plain"
    text = letter.get_payload(decode=True).decode()
    assert "Start dagster/report when airflow/orders is done" in text


@pytest.mark.parametrize("status", [400, 404, 429, 500, 307])
def test_a_refusal_says_why(receiver, target, status):
    receiver.refusals = [status]
    with pytest.raises(Undelivered, match=f"answered {status}"):
        sender(target("webhook", f"http://127.0.0.1:{receiver.port}/"))(an_alert())
    assert receiver.taken == []


def test_a_refusal_in_words_says_why_without_the_secret(receiver, target, monkeypatch):
    from apprise.plugins.slack import NotifySlack

    monkeypatch.setattr(NotifySlack, "webhook_url", f"http://127.0.0.1:{receiver.port}")
    send = sender(target("slack", f"https://hooks.slack.com/services/T12345678/B12345678/{SECRET}"))
    before = list(logging.getLogger("apprise").handlers)
    receiver.refusals = [404]
    with pytest.raises(Undelivered, match="404") as fault:
        send(an_alert())
    assert SECRET not in str(fault.value)
    assert logging.getLogger("apprise").handlers == before


def test_who_does_not_listen_is_a_refusal(target):
    (port,) = free_ports(1)
    with pytest.raises(Undelivered, match="Connect"):
        sender(target("webhook", f"http://127.0.0.1:{port}/"))(an_alert())
    letter = f"mailto://127.0.0.1:{port}?from=a@example.org&to=b@example.org&mode=insecure"
    with pytest.raises(Undelivered):
        sender(target("email", letter))(an_alert())


@pytest.mark.parametrize(
    ("kind", "address"),
    [
        ("webhook", f"ftp://{SECRET}"),
        ("slack", f"https://example.org/{SECRET}"),
        ("slack", f"slack://{SECRET}"),
        ("teams", f"https://example.org/{SECRET}"),
        ("email", SECRET),
        ("email", ""),
        ("webhook", f"http://169.254.169.254/{SECRET}"),
    ],
)
def test_an_address_that_cannot_be_used_is_told_without_what_it_is(target, kind, address):
    with pytest.raises(ConfigError, match=r"alerts\.targets: oncall") as fault:
        sender(target(kind, address))
    assert SECRET not in str(fault.value)


def test_a_file_that_is_not_there_is_told(tmp_path):
    target = AlertTarget(name="oncall", kind="webhook", address_file=tmp_path / "none")
    with pytest.raises(ConfigError, match="No such file"):
        sender(target)


def test_a_trial_goes_to_each_target_and_tells_who_did_not_take_it(receiver, tmp_path):
    ports = {"chat": receiver.port, "away": receiver.port}
    told = []
    for name, port in ports.items():
        file = tmp_path / name
        file.write_text(f"http://127.0.0.1:{port}/{name}")
        told.append({"name": name, "kind": "webhook", "address_file": str(file)})
    settings = tmp_path / "swarm.yaml"
    settings.write_text(yaml.safe_dump({"alerts": {"targets": told}}))
    receiver.refusals = [503]
    done = CliRunner().invoke(app, ["alerts", "test", "--config", str(settings)])
    assert done.exit_code == 3
    assert done.stdout.splitlines()[0].startswith("chat: not taken: it answered 503")
    assert done.stdout.splitlines()[1] == "away: taken"
    assert [taken.told["findings"][0]["closed"] for taken in receiver.taken] == [False, True]
