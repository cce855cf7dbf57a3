"""NATS as deploy/nats sets it up: TLS, users, least rights."""

import crypt
import pathlib
import secrets
import subprocess

from cluster import Nats

EXAMPLE = pathlib.Path(__file__).resolve().parents[2] / "deploy/nats"
USERS = ("core", "edge", "admin")


def openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True,
                   capture_output=True, timeout=20)


def make_authority(folder, name):
    """An authority of our own; returns its certificate."""
    pem = folder / f"{name}.pem"
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt",
            "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
            "-subj", f"/CN={name}", "-keyout", folder / f"{name}.key",
            "-out", pem)
    return pem


def make_certificate(folder, authority, name, host):
    request, extension = folder / f"{name}.csr", folder / f"{name}.ext"
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
            "-nodes", "-subj", f"/CN={host}",
            "-keyout", folder / f"{name}.key", "-out", request)
    extension.write_text(f"subjectAltName=DNS:{host}\n")
    openssl("x509", "-req", "-days", "2", "-in", request, "-CA", authority,
            "-CAkey", authority.with_suffix(".key"), "-CAcreateserial",
            "-extfile", extension, "-out", folder / f"{name}.pem")


class SecuredNats(Nats):
    """The example's files as they are, but for places and passwords."""

    def __init__(self, folder, host="localhost", more_users=""):
        super().__init__(folder, scheme="tls")
        self.ca = make_authority(self.folder, "ca")
        make_certificate(self.folder, self.ca, "server", host)
        self.passwords = {who: secrets.token_urlsafe(12) for who in USERS}
        self.more_users = more_users
        self.write_accounts()
        text = (EXAMPLE / "server.conf").read_text()
        for was, becomes in [("0.0.0.0:4222", f"127.0.0.1:{self.port}"),
                             ("/etc/nats", str(self.folder)),
                             ("/var/lib/nats", str(self.folder))]:
            assert was in text
            text = text.replace(was, becomes)
        (self.folder / "server.conf").write_text(text)
        self.options = ["-c", str(self.folder / "server.conf")]

    def write_accounts(self):
        text = (EXAMPLE / "accounts.conf").read_text()
        for who, password in self.passwords.items():
            was = f'"change-me-{who}"'
            assert was in text
            # One of them as a hash, as the file advises.
            if who == "core":
                salt = "$2a$04$" + secrets.token_hex(11)
                password = crypt.crypt(password, salt)
            text = text.replace(was, f'"{password}"')
        text = text.replace("    users: [\n",
                            "    users: [\n" + self.more_users, 1)
        (self.folder / "accounts.conf").write_text(text)

    def credentials(self, who, password=None):
        """The file that cluster.credentials is to name."""
        path = self.folder / f"{who}.credentials"
        path.write_text(f"rollcall-{who}:{password or self.passwords[who]}\n")
        path.chmod(0o600)
        return path

    def flags(self, who):
        return ("--cluster-ca", str(self.ca),
                "--cluster-credentials", str(self.credentials(who)))
