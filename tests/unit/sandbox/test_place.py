"""The data folder of a stack."""

import socket
import stat
from pathlib import Path

import pytest

from sandbox.place import Place
from sandbox.servers import ServerError


def test_only_one_may_use_a_folder_at_a_time(tmp_path: Path) -> None:
    with Place(tmp_path), pytest.raises(ServerError, match="in use"), Place(tmp_path):
        pass
    with Place(tmp_path):
        pass


def test_secrets_are_made_once_and_only_we_may_read_them(tmp_path: Path) -> None:
    with Place(tmp_path) as place:
        place.keep_keys({"aurora": "k"})
        files = [place.secret_key(), place.operator_token(), tmp_path / "api-keys.json"]
        texts = [file.read_text() for file in files]
        password = place.crm_password()
    assert all(stat.S_IMODE(file.stat().st_mode) == 0o600 for file in files)
    with Place(tmp_path) as place:
        assert [place.secret_key().read_text(), place.operator_token().read_text()] == texts[:2]
        assert place.crm_password() == password
        assert place.kept_keys() == {"aurora": "k"}


def test_ports_stay_what_they_were(tmp_path: Path) -> None:
    with Place(tmp_path, usual_ports=False) as place:
        assert place.ports() == place.ports()


@pytest.mark.parametrize("name", ["crm-aurora", "crm-corona", "ingest"])
def test_a_server_moves_away_from_a_taken_port_but_what_addresses_lead_to_does_not(
    tmp_path: Path, name: str
) -> None:
    with Place(tmp_path, usual_ports=False) as place:
        before = place.ports()
        with socket.create_server(("127.0.0.1", before["kafka"])):
            assert place.ports()["kafka"] != before["kafka"]
        with (
            socket.create_server(("127.0.0.1", before[name])),
            pytest.raises(ServerError, match="make clean"),
        ):
            place.ports()
