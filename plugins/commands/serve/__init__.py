"""A model behind HTTP: `POST /v1/score`, and a page that scores a photo or the webcam. Never torch.

`app` says what is answered, `requests` what is taken, `judge` what is said of images; only `app`,
`requests` and `server` know the web.
"""

from __future__ import annotations
