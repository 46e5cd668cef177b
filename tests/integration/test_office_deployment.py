"""What docker-compose.yml mounts is sound: the hub reads its configuration, a real Asterisk boots on its own."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from channels.pbx.ami import AmiAddress
from channels.pbx.config import PbxConfig
from channels.pbx.snippet import Part, snippet
from hub.demo.peers.asterisk import AsteriskRunner, AsteriskTree
from hub.demo.peers.process import free_port
from hub.settings import Settings, load_settings

CHECKOUT = Path(__file__).parents[2]
EXAMPLE = CHECKOUT / "deploy/office.example"


@pytest.fixture
def settings() -> Settings:
    """The example's configuration, with the example's secrets."""
    lines = (EXAMPLE / "hub.env").read_text(encoding="utf-8").splitlines()
    environ = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    return load_settings(environ | {"HUB_CONFIG": str(EXAMPLE / "hub.toml")})


def test_the_database_password_is_the_one_that_postgresql_is_given(settings: Settings) -> None:
    given = (EXAMPLE / "postgres.env").read_text(encoding="utf-8").strip().partition("=")[2]
    assert f":{given}@" in settings.database_url.reveal()


async def test_asterisk_boots_on_the_offices_configuration(
    settings: Settings,
    asterisk_tree: AsteriskTree,
    run_asterisk: Callable[[Path], Awaitable[AsteriskRunner]],
    short_dir: Path,
) -> None:
    etc = short_dir / "etc"
    for folder in ("hub", "office"):
        (etc / folder).mkdir(parents=True)
    for source in (CHECKOUT / "deploy/asterisk").glob("*.conf"):
        # In its container Asterisk listens on everything; here only on loopback.
        text = source.read_text(encoding="utf-8").replace("0.0.0.0:5060", f"127.0.0.1:{free_port()}")
        text = text.replace("0.0.0.0", "127.0.0.1").replace("port = 5038", f"port = {free_port()}")
        (etc / source.name).write_text(text, encoding="utf-8")
    # The modules of the demonstration's office stand for Debian's, which loads all that it has.
    modules = (CHECKOUT / "hub/demo/peers/asterisk_conf/modules.conf").read_text(encoding="utf-8")
    extra = "load = res_pjsip_authenticator_digest.so\nload = res_pjsip_endpoint_identifier_ip.so\n"
    (etc / "modules.conf").write_text(f"{modules}\n{extra}", encoding="utf-8")
    pjsip = (EXAMPLE / "pjsip.conf").read_text(encoding="utf-8").replace("sip.provider.example", "127.0.0.1")
    (etc / "office/pjsip.conf").write_text(pjsip, encoding="utf-8")

    (pbx,) = settings.pbx
    config = PbxConfig(
        name=pbx.name,
        ami=AmiAddress(pbx.ami.host, pbx.ami.port, pbx.ami.user, pbx.ami.password.reveal()),
        agi_host=pbx.agi.host,
        agi_port=pbx.agi.port,
        trunk=pbx.trunk,
        fallback=pbx.fallback,
    )
    for part in Part:
        (etc / f"hub/{part.value}.conf").write_text(snippet(config, part), encoding="utf-8")

    asterisk = await run_asterisk(etc)
    assert "hub-fallback" in await asterisk.rx("dialplan show s@hub-fallback")
    assert pbx.agi.host in await asterisk.rx("dialplan show hub-inbound")
    endpoints = await asterisk.rx("pjsip show endpoints")
    assert all(name in endpoints for name in ("101", "102", "trunk"))
    account = await asterisk.rx(f"manager show user {pbx.ami.user}")
    assert "ACL: yes" in account
    assert "acl.c:" not in asterisk.process.printed(100_000), "an address of the manager's account was not understood"
