"""Serve an exported model over HTTP: `POST /v1/score`, and a web page for photos and the webcam. No torch.

`scoring` turns images into a verdict in the processes of `workers`, `requests` reads what clients send,
`access` and `protocol` refuse requests and connections, `app` connects them as a
web application, and `server` runs it on a port.
"""

from __future__ import annotations
