"""Certificates for servers of tests: an authority, a server's certificate under it, and an authority of strangers."""

from dataclasses import dataclass
from pathlib import Path

import trustme
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)


@dataclass(frozen=True)
class Certificates:
    """Files in PEM. `both` is the key (PKCS #8, as Java wants it) and the chain behind it."""

    authority: Path
    strangers: Path
    chain: Path
    key: Path
    both: Path


def certificates(folder: Path, host: str = "127.0.0.1") -> Certificates:
    """Make them for a host."""
    authority = trustme.CA()
    issued = authority.issue_cert(host)
    key = load_pem_private_key(issued.private_key_pem.bytes(), None)
    texts = {
        "authority": authority.cert_pem.bytes(),
        "strangers": trustme.CA().cert_pem.bytes(),
        "chain": b"".join(each.bytes() for each in issued.cert_chain_pems),
        "key": key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
    }
    texts["both"] = texts["key"] + texts["chain"]
    for name, text in texts.items():
        (folder / f"{name}.pem").write_bytes(text)
    return Certificates(**{name: folder / f"{name}.pem" for name in texts})
