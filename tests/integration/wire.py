"""Raw sockets: HTTP and WebSocket bytes, right or wrong."""

import base64
import json
import os
import socket
import struct

PATIENCE = 8
TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


def frame(opcode, payload=b"", fin=True, rsv=0, mask=True, length=None,
          announced=None):
    """One frame; `length` forces 7, 16 or 64 bits, `announced` lies."""
    size = len(payload) if announced is None else announced
    form = length or (7 if size < 126 else 16 if size < 65536 else 64)
    out = bytes([(0x80 if fin else 0) | rsv << 4 | opcode])
    bit = 0x80 if mask else 0
    if form == 7:
        out += bytes([bit | size])
    elif form == 16:
        out += bytes([bit | 126]) + struct.pack(">H", size)
    else:
        out += bytes([bit | 127]) + struct.pack(">Q", size)
    if not mask:
        return out + payload
    key = b"\x37\xfa\x21\x3d"
    whole = key * (len(payload) // 4 + 1)
    number = int.from_bytes(payload, "big") ^ int.from_bytes(
        whole[:len(payload)], "big")
    return out + key + number.to_bytes(len(payload), "big")


def request(node, *lines, method="GET", target="/v1/connect",
            version="HTTP/1.1", leave_out=(), **replace):
    """An upgrade request; keywords replace headers (`_` for `-`)."""
    headers = {
        "Host": f"127.0.0.1:{node.port}", "Upgrade": "websocket",
        "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
        "Sec-WebSocket-Protocol": "rollcall.v1.json",
        "Authorization": f"Bearer {node.token('hostile')}"}
    headers.update({k.replace("_", "-"): v for k, v in replace.items()})
    head = [f"{method} {target} {version}"]
    head += [f"{k}: {v}" for k, v in headers.items() if k not in leave_out]
    return ("\r\n".join([*head, *lines]) + "\r\n\r\n").encode()


class Wire:
    def __init__(self, node, send_buffer=None):
        self.socket = socket.create_connection(("127.0.0.1", node.port),
                                               PATIENCE)
        self.node = node
        self.buffer = b""
        self.ended = False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        """Sends it all, or as much as the server takes before it closes."""
        try:
            self.socket.sendall(data)
            return True
        except (BrokenPipeError, ConnectionResetError):
            return False

    def fill(self):
        if self.ended:
            return False
        try:
            data = self.socket.recv(65536)
        except ConnectionResetError:
            data = b""
        self.ended = not data
        self.buffer += data
        return bool(data)

    def read_http(self):
        """(status, headers, the rest read so far); status 0 at an end."""
        while b"\r\n\r\n" not in self.buffer:
            if not self.fill():
                return 0, {}, self.buffer
        head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {k.strip().lower(): v.strip() for k, _, v in
                   (line.partition(":") for line in lines)}
        return int(first.split()[1]), headers, self.buffer

    def upgrade(self, *lines, **options):
        self.send(request(self.node, *lines, **options))
        status, headers, _ = self.read_http()
        assert status == 101, status
        return headers

    def take(self, count):
        while len(self.buffer) < count:
            if not self.fill():
                return None
        data, self.buffer = self.buffer[:count], self.buffer[count:]
        return data

    def read_frame(self):
        """(opcode, payload), or None at the end of the stream."""
        head = self.take(2)
        if head is None:
            return None
        assert head[0] & 0x80 and not head[0] & 0x70 and not head[1] & 0x80
        size = head[1]
        if size >= 126:
            form = ">H" if size == 126 else ">Q"
            size, = struct.unpack(form, self.take(struct.calcsize(form)))
        return head[0] & 15, self.take(size)

    def messages(self):
        """Decoded text messages until the close; then ("close", code)."""
        while (got := self.read_frame()) is not None:
            opcode, payload = got
            if opcode == CLOSE:
                code = struct.unpack(">H", payload[:2])[0] if payload else 1005
                yield "close", code
                return
            if opcode == TEXT:
                yield "message", json.loads(payload)
            elif opcode == BINARY:
                import msgpack
                yield "message", msgpack.unpackb(payload)
        yield "close", 1006

    def close_code(self):
        """Reads to the end; the close code, 1006 where there was none."""
        for kind, value in self.messages():
            if kind == "close":
                return value
        return 1006

    def next_message(self, wanted=lambda m: True):
        for kind, value in self.messages():
            assert kind == "message", f"closed with {value}"
            if wanted(value):
                return value
        raise AssertionError("the stream ended")

    def answer(self):
        return self.next_message(lambda m: "re" in m)


def connect(node, dialect="json", **options):
    """An upgraded wire whose welcome has been read."""
    wire = Wire(node)
    wire.upgrade(Sec_WebSocket_Protocol=f"rollcall.v1.{dialect}", **options)
    if "Authorization" not in options.get("leave_out", ()):
        assert wire.next_message()["push"] == "welcome"
    return wire
