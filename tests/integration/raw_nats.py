"""NATS spoken by hand, so that nothing but the server decides what is allowed."""

import json
import re
import socket
import ssl


class RawNats:
    """One connection, written from the protocol's description alone."""

    def __init__(self, port, user=None, password=None, ca=None):
        self.socket = socket.create_connection(("127.0.0.1", port), 5)
        self.socket.settimeout(5)
        self.buffer = b""
        self.errors = []
        self.messages = []
        assert self.line().startswith("INFO ")
        if ca:
            context = ssl.create_default_context(cafile=ca)
            self.socket = context.wrap_socket(self.socket,
                                              server_hostname="localhost")
        self.write("CONNECT " + json.dumps({
            "verbose": False, "pedantic": False, "lang": "raw",
            "version": "0", "protocol": 1, "headers": True,
            "no_responders": True, "user": user, "pass": password}))
        self.settle()

    def write(self, line, payload=None):
        data = line.encode() + b"\r\n"
        if payload is not None:
            data += payload + b"\r\n"
        self.socket.sendall(data)

    def more(self):
        data = self.socket.recv(65536)
        if not data:
            raise ConnectionError("NATS has closed: " + str(self.errors))
        self.buffer += data

    def line(self):
        while b"\r\n" not in self.buffer:
            self.more()
        line, self.buffer = self.buffer.split(b"\r\n", 1)
        return line.decode()

    def settle(self):
        """Until the server has answered everything sent so far."""
        self.write("PING")
        while self.take() != "PONG":
            pass

    def take(self):
        """Reads one thing and returns its first word."""
        line = self.line()
        word = line.split(" ", 1)[0]
        if word in ("MSG", "HMSG"):
            size = int(line.rsplit(" ", 1)[1])
            while len(self.buffer) < size + 2:
                self.more()
            self.messages.append((line.split(" ")[1], self.buffer[:size]))
            self.buffer = self.buffer[size + 2:]
        elif word == "PING":
            self.write("PONG")
        elif word == "-ERR":
            self.errors.append(line)
        return word

    def refused(self, line, payload=None):
        """Whether the server says that this is not permitted."""
        self.errors.clear()
        self.write(line, payload)
        self.settle()
        return any(re.match("-ERR 'Permissions Violation", one)
                   for one in self.errors)

    def ask(self, subject, payload=b""):
        """The answer to a request, as JSON."""
        self.write("SUB _INBOX.raw.1 77")
        self.write(f"PUB {subject} _INBOX.raw.1 {len(payload)}", payload)
        while not any(on == "_INBOX.raw.1" for on, _ in self.messages):
            self.take()
        self.write("UNSUB 77")
        answer = next(data for on, data in self.messages
                      if on == "_INBOX.raw.1")
        self.messages = [one for one in self.messages
                         if one[0] != "_INBOX.raw.1"]
        return json.loads(answer)

    def close(self):
        self.socket.close()
