"""The composition root, and the only place of `ray.init` and (in `cluster.py`) of `ray.remote`.

`__main__.py` is the process that `swarm up` starts. Of what it starts `actors.py` has all that is
there whatever nodes there are, `workers.py` what runs tasks on them, `cluster.py` Ray itself.
`files.py` are its secrets and where it can be found, `nodes.py` what nodes say of themselves.
"""
