"""The rules that hold for every test do hold."""

import socket

import pytest


def test_a_unit_test_can_open_no_socket() -> None:
    with socket.socket() as connection, pytest.raises(AssertionError, match="no sockets"):
        connection.connect(("127.0.0.1", 9))
    with pytest.raises(AssertionError, match="no sockets"):
        socket.create_connection(("localhost", 9))
