"""A worker whose fit is a stand-in: 50 ms an epoch, and nothing of TensorFlow loaded.

Celery, leases, heartbeats, history, checkpoints, artifacts and the database are the
service's own code; only what Keras would do is replaced. A run's tags say how long an
epoch takes and what befalls it. Nothing of this is reachable from outside of the tests.
"""
