"""Serve an exported model over HTTP: `POST /v1/score`, and a web page for photos and the webcam. No torch.

`scoring` turns images into a verdict, `requests` reads what clients send, `app` connects the two as a
web application, and `server` runs it on a port.
"""

from __future__ import annotations
