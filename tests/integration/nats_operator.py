"""NATS with an operator: accounts and users as signed JWTs, made here so that
no tool of NATS' is needed (ADR-14 of the NATS architecture, nats-io/nkeys)."""

import base64
import binascii
import json
import os
import subprocess
import time

from cluster import Nats
from node import encode64

OPERATOR, ACCOUNT, USER, SEED = 14 << 3, 0, 20 << 3, 18 << 3
# PKCS #8 around the 32 bytes of an Ed25519 key.
PKCS8 = bytes.fromhex("302e020100300506032b657004220420")
NO_LIMITS = {key: -1 for key in (
    "subs", "data", "payload", "imports", "exports", "conn", "leaf",
    "mem_storage", "disk_storage", "streams", "consumer")}


def text_of(prefix, key):
    data = prefix + key
    data += binascii.crc_hqx(data, 0).to_bytes(2, "little")
    return base64.b32encode(data).rstrip(b"=").decode()


class Key:
    def __init__(self, folder, kind):
        raw = os.urandom(32)
        self.path = folder / f"{binascii.hexlify(raw[:8]).decode()}.der"
        self.path.write_bytes(PKCS8 + raw)
        public = self.openssl("pkey", "-inform", "DER", "-in", self.path,
                              "-pubout", "-outform", "DER")[-32:]
        self.name = text_of(bytes([kind]), public)
        self.seed = text_of(bytes([SEED | kind >> 5, (kind & 31) << 3]), raw)

    @staticmethod
    def openssl(*arguments):
        return subprocess.run(["openssl", *map(str, arguments)], check=True,
                              capture_output=True, timeout=20).stdout

    def sign(self, subject, name, what):
        claims = {"jti": name, "iat": int(time.time()), "iss": self.name,
                  "sub": subject.name, "name": name,
                  "nats": {**what, "version": 2}}
        text = ".".join(encode64(json.dumps(part).encode()) for part in (
            {"typ": "JWT", "alg": "ed25519-nkey"}, claims))
        body = self.path.with_suffix(".txt")
        body.write_text(text)
        signature = self.openssl("pkeyutl", "-sign", "-rawin", "-keyform",
                                 "DER", "-inkey", self.path, "-in", body)
        return f"{text}.{encode64(signature)}"


class OperatedNats(Nats):
    """Has one user, with the rights given; `credentials` is their file."""

    def __init__(self, folder, publish, subscribe):
        super().__init__(folder)
        operator, account, system = (
            Key(self.folder, kind) for kind in (OPERATOR, ACCOUNT, ACCOUNT))
        user = Key(self.folder, USER)
        grant = {"type": "account", "limits": {**NO_LIMITS, "wildcards": True}}
        # The system's account must not have JetStream.
        plain = {"type": "account", "limits": {
            key: value for key, value in grant["limits"].items()
            if key not in ("mem_storage", "disk_storage", "streams",
                           "consumer")}}
        token = account.sign(user, "node", {
            "type": "user", "subs": -1, "data": -1, "payload": -1,
            "pub": {"allow": publish}, "sub": {"allow": subscribe}})
        self.credentials = self.folder / "node.creds"
        self.credentials.write_text(
            f"-----BEGIN NATS USER JWT-----\n{token}\n"
            "------END NATS USER JWT------\n\n"
            f"-----BEGIN USER NKEY SEED-----\n{user.seed}\n"
            "------END USER NKEY SEED------\n")
        self.credentials.chmod(0o600)
        (self.folder / "operator.jwt").write_text(
            operator.sign(operator, "operator", {"type": "operator"}))
        config = self.folder / "server.conf"
        config.write_text(f"""
listen: "127.0.0.1:{self.port}"
jetstream {{ store_dir: "{self.folder}/data", max_file_store: 32GB }}
operator: "{self.folder}/operator.jwt"
system_account: {system.name}
resolver: MEMORY
resolver_preload: {{
  {account.name}: "{operator.sign(account, "rollcall", grant)}"
  {system.name}: "{operator.sign(system, "system", plain)}"
}}
""")
        self.options = ["-c", str(config)]
