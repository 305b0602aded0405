"""A server that speaks S3, on this machine alone, in a process of its own."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3

SERVE = """
import sys
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
server.start()
print("http://{}:{}".format(*server.get_host_and_port()), flush=True)
sys.stdin.read()  # until that is closed
"""
BUCKET = "mine"


@contextmanager
def object_store() -> Iterator[dict[str, str]]:
    """While this lasts, such a server runs, with one bucket; the variables by which programs find it."""
    command = [sys.executable, "-W", "ignore", "-c", SERVE]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as server:
        assert server.stdout
        keys = {"AWS_ACCESS_KEY_ID": "any", "AWS_SECRET_ACCESS_KEY": "any", "AWS_DEFAULT_REGION": "us-east-1"}
        variables = {"AWS_ENDPOINT_URL": server.stdout.readline().strip(), "NO_PROXY": "127.0.0.1", **keys}
        client(variables).create_bucket(Bucket=BUCKET)
        yield variables


def client(variables: dict[str, str]) -> Any:
    key, secret = variables["AWS_ACCESS_KEY_ID"], variables["AWS_SECRET_ACCESS_KEY"]
    return boto3.client(
        "s3",
        endpoint_url=variables["AWS_ENDPOINT_URL"],
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        region_name="us-east-1",
    )


def upload(folder: Path, prefix: str, variables: dict[str, str]) -> str:
    """Copy the files of a folder there; their address."""
    for path in folder.iterdir():
        client(variables).upload_file(str(path), BUCKET, f"{prefix}/{path.name}")
    return f"s3://{BUCKET}/{prefix}"
