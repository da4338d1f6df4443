"""Signing in by NTLM at a server that is neither ours nor pyspnego's: Apache with Debian's gss-ntlmssp."""

import asyncio
import os
import shutil
import signal
import socket
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from connector_dynamics.http import Request
from connector_dynamics.ntlm import Lanes
from leadbus.errors import AuthRefused
from sandbox.dynamics import Dynamics

APACHE = shutil.which("apache2", path="/usr/sbin:/usr/bin")
MODULES = Path("/usr/lib/apache2/modules")
MECHANISMS = Path("/etc/gss/mech.d")
pytestmark = pytest.mark.skipif(
    APACHE is None or not (MODULES / "mod_auth_gssapi.so").exists() or not list(MECHANISMS.glob("*ntlm*")),
    reason="needs Debian's apache2, libapache2-mod-auth-gssapi and gss-ntlmssp (.ci/run installs them)",
)
USER, PASSWORD = "CONTOSO\\leadbus", "s3cret & more"
SERVICES = "http://schemas.microsoft.com/xrm/2011/Contracts/Services"
XRM = "http://schemas.microsoft.com/xrm/2011/Contracts"
LOADED = "mpm_event authn_core authz_core authz_user auth_gssapi proxy proxy_http headers"
CONFIGURATION = """
ServerRoot {folder}
ServerName localhost
Listen 127.0.0.1:{port}
PidFile {folder}/apache.pid
ErrorLog {folder}/error.log
DefaultRuntimeDir {folder}
Mutex file:{folder} default
KeepAlive On
KeepAliveTimeout 30
{modules}
{user}
<Location />
  AuthType GSSAPI
  AuthName organisation
  GssapiSSLonly Off
  GssapiAllowedMech ntlmssp
  GssapiConnectionBound On
  Require valid-user
  RequestHeader set X-Remote-User "expr=%{{REMOTE_USER}}"
</Location>
ProxyPass / {behind}/
"""


class Folder:
    """What Apache is told. It reads that as somebody who may not look into pytest's own folder."""

    def __init__(self, behind: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.path = Path(tempfile.mkdtemp(prefix="ntlm-"))
        self.path.chmod(0o777)
        self.users, self.configuration = self.path / "users", self.path / "apache.conf"
        self.users.write_text(f"{USER.replace(chr(92), ':')}:{PASSWORD}\n")
        told = CONFIGURATION.format(
            folder=self.path,
            port=self.port,
            modules="\n".join(f"LoadModule {name}_module {MODULES}/mod_{name}.so" for name in LOADED.split()),
            user="User www-data\nGroup www-data" if os.geteuid() == 0 else "",
            behind=behind,
        )
        self.configuration.write_text(told)

    @property
    def log(self) -> str:
        file = self.path / "error.log"
        return file.read_text() if file.exists() else "no log"


@asynccontextmanager
async def apache(behind: str) -> AsyncIterator[str]:
    """In front of a server; its address."""
    folder = Folder(behind)
    process = await asyncio.create_subprocess_exec(
        str(APACHE),
        *("-f", str(folder.configuration), "-DFOREGROUND"),
        env={"PATH": os.environ["PATH"], "NTLM_USER_FILE": str(folder.users)},
    )
    try:
        async with asyncio.timeout(10):
            while not await _listens(folder.port):
                assert process.returncode is None, folder.log
                await asyncio.sleep(0.05)
        yield f"http://127.0.0.1:{folder.port}"
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(process.wait(), 10)
        shutil.rmtree(folder.path)


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    await writer.wait_closed()
    return True


@pytest.fixture
async def crm() -> AsyncIterator[Dynamics]:
    crm = Dynamics(version="2011", trusted_header="x-remote-user")
    await crm.start()
    yield crm
    await crm.stop()


@pytest.fixture
async def address(crm: Dynamics) -> AsyncIterator[str]:
    """Of the organisation service, behind Apache."""
    async with apache(crm.url) as front:
        yield crm.soap_url.replace(crm.url, front)


@asynccontextmanager
async def lanes(password: str, connections: int) -> AsyncIterator[Lanes]:
    made = Lanes(
        USER, password, connections, lambda: httpx.AsyncHTTPTransport(limits=httpx.Limits(max_connections=1))
    )
    try:
        yield made
    finally:
        await made.close()


def request(address: str, operation: str, inside: str) -> Request:
    envelope = (
        '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>'
        f'<{operation} xmlns="{SERVICES}" xmlns:b="{XRM}" xmlns:i="http://www.w3.org/2001/XMLSchema-instance"'
        ' xmlns:d="http://www.w3.org/2001/XMLSchema"'
        ' xmlns:c="http://schemas.datacontract.org/2004/07/System.Collections.Generic">'
        f"{inside}</{operation}></s:Body></s:Envelope>"
    )
    headers = {
        "Content-Type": "text/xml; charset=utf-8",
        "SOAPAction": f'"{SERVICES}/IOrganizationService/{operation}"',
    }
    return Request("POST", address, headers, envelope.encode())


def creation(address: str, number: int) -> Request:
    pair = f'<c:key>lastname</c:key><c:value i:type="d:string">Kot {number}</c:value>'
    values = f"<b:KeyValuePairOfstringanyType>{pair}</b:KeyValuePairOfstringanyType>"
    entity = f"<entity><b:Attributes>{values}</b:Attributes><b:LogicalName>lead</b:LogicalName></entity>"
    return request(address, "Create", entity)


@pytest.mark.parametrize("connections", [1, 4])
async def test_sixty_calls_at_once_are_all_signed_in(crm: Dynamics, address: str, connections: int) -> None:
    async with lanes(PASSWORD, connections) as channel:
        replies = await asyncio.gather(*(channel.send(creation(address, number)) for number in range(60)))
    assert [reply.status for reply in replies] == [200] * 60
    assert {one["lastname"] for one in crm.records("lead")} == {f"Kot {number}" for number in range(60)}


async def test_the_server_knows_who_it_is(crm: Dynamics, address: str) -> None:
    who = request(address, "Execute", "<request><b:RequestName>WhoAmI</b:RequestName></request>")
    async with lanes(PASSWORD, 1) as channel:
        reply = await channel.send(who)
    assert crm.user_id.encode() in reply.content


async def test_a_wrong_password_is_refused(crm: Dynamics, address: str) -> None:
    async with lanes("wrong", 2) as channel:
        with pytest.raises(AuthRefused):
            await channel.send(creation(address, 1))
    async with httpx.AsyncClient() as http:
        assert (await http.get(address)).status_code == 401
    assert crm.records("lead") == []
