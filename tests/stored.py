"""Put a small file into a storage."""

from core.storage import Storage, scratch


def store(storage: Storage, key: str, content: str | bytes = "x") -> str:
    """Store a text or bytes under a key; return the key."""
    data = content.encode() if isinstance(content, str) else content
    with scratch() as folder:
        (folder / "file").write_bytes(data)
        storage.put(folder / "file", key)
    return key
