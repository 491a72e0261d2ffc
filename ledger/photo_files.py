"""How a kept photo lies on disk: agreed between the worker that writes it and the site that serves it.

A photo is a folder, named by its id, below the photos folder. It is written once and never changed: the picture,
encoded by us and nothing else in it, and a smaller one.
"""

PICTURES = {"image/jpeg": "picture.jpg", "image/png": "picture.png"}
THUMBNAIL = "thumbnail.jpg"
THUMBNAIL_SIDE = 480  # pixels of its longer side, at most
