#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Forged messages of breached processes.

    forge.py tenant UID OWNER CONTAINER EXEC IMAGE VOLUME NETWORK OWN
                                             the api process of UID asks for what is OWNER's; OWN is a container of its own
    forge.py spec CONTAINER STRANGER EXEC    the engine asks policyd for what the rules refuse, in CONTAINER's name or about STRANGER, another tenant's
    forge.py unsealed CONTAINER              and hands policyd a message that it can still change
    forge.py judged CONTAINER                policyd asks the executor for what it may not have judged
    forge.py descriptors FROM TO CONTAINER EXAMPLE
                                             FROM sends TO descriptors that nobody asked for, and the executor's message to start CONTAINER
    forge.py worker NAME                     a worker, a copier or a monitor does so on all its channels
    forge.py record NAME                     a helper sends the supervisor what only that may say
    forge.py dials REGISTRY                  a pull's worker asks for connections to others than its registry
    forge.py elsewhere PORT                  and uses one that it was given, to a registry at that port, for another destination
    forge.py shared NAME                     a worker shares no memory that it could write with its service
    forge.py remembers NAME TEXT             a process's memory does not hold a text

BREACH_* as for breach.py; BREACH_STATE is the engine's state folder. Exits 1 and says which forgery was believed.
"""
import sys

from breach import run
from forgeries import judgement, strays, tenant, workers

COMMANDS = {"tenant": tenant.tenant, "spec": judgement.spec, "unsealed": judgement.unsealed, "judged": judgement.judged, "descriptors": strays.descriptors,
            "worker": strays.worker, "record": strays.record, "dials": workers.dials, "elsewhere": workers.elsewhere, "shared": workers.shared,
            "remembers": workers.remembers}

if __name__ == "__main__":
    sys.exit(run(COMMANDS))
