# Decrypts a Web Push by http_ece: JSON on stdin, the text on stdout.
import base64
import json
import sys

import http_ece
from cryptography.hazmat.primitives.asymmetric import ec


def part(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


said = json.load(sys.stdin)
scalar = int.from_bytes(part(said["key"]), "big")
text = http_ece.decrypt(
    part(said["body"]),
    private_key=ec.derive_private_key(scalar, ec.SECP256R1()),
    auth_secret=part(said["auth"]),
    version="aes128gcm",
)
sys.stdout.buffer.write(text)
