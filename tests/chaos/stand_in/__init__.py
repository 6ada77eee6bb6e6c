"""A worker with a stand-in fit of 50 ms per epoch, which does not load TensorFlow.

Celery, leases, heartbeats, history, checkpoints, artifacts and the database are the
service's own code; the stand-in replaces only Keras. The tags of a run set the time per
epoch and the fault. Only the tests can reach this code.
"""
