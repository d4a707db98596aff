"""The exporter of a web page: the model, onnxruntime-web, and a page that scores in the browser."""
