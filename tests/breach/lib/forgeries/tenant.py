# SPDX-License-Identifier: Apache-2.0
"""A tenant's api process asks the engine for what is another tenant's."""
from breach import SOURCE, cast
from channel import GONE

from . import declared
from .common import Forger, expect, replace


def pipes_of(request):
    """The descriptors that such a request brings along; its standard input does for all."""
    number = {"save_images": 1, "read_archive": 1, "export_container": 1, "write_archive": 2, "attach_container": 3, "run_exec": 3}.get(request, 0)
    return [0] * number


def shape(answer, name):
    """An answer without what differs from one question to the next."""
    return answer[answer.find("error"):].replace(name, "NAME")


def all_requests(container, execution, image, volume, network, own):
    for table, names in ((declared.OF_CONTAINERS, [container]), (declared.OF_EXECS, [execution]), (declared.OF_IMAGES, [image]),
                         (declared.OF_VOLUMES, [volume]), (declared.OF_NETWORKS, [network, own]), (declared.OF_CONTAINERS_IN_NETWORKS, [container])):
        for request, text in table.items():
            for name in {names[0], names[0][:12]}:
                yield request, name, f"{request} {{ {text.format(name, *names[1:])} }}"


def tenant(uid, owner, container, execution, image, volume, network, own):
    failures = []
    known = set().union(declared.OF_CONTAINERS, declared.OF_EXECS, declared.OF_IMAGES, declared.OF_VOLUMES, declared.OF_NETWORKS, declared.LISTS,
                        declared.PRUNES, declared.ROOTS_ALONE, declared.OF_NOBODY)
    failures += [f"{request} is a request that is not tried" for request in
                 declared.requests_of(f"{SOURCE}/proto/api_engine.proto", "ApiToEngine") ^ known]
    strange = [container, execution, image, volume, network]
    with Forger(f"api:{owner}", "engine") as honest:  # who has them is answered
        for request, name, text in all_requests(container, execution, image, volume, network, own):
            if request.startswith(("look_up", "inspect")) and name in strange:
                expect(failures, f"the owner's {request}", honest.ask(text), "it was done")
        seen = "".join(honest.ask(f"{request} {{ {text} }}") for request, text in declared.LISTS.items())
        failures += [f"the owner's lists do not have {name}" for name in (volume,) if name not in seen]
    with Forger(f"api:{uid}", "engine") as forged:
        for request, name, text in all_requests(container, execution, image, volume, network, own):
            nobodys = name[::-1]
            answer, of_nobody = (forged.ask(asked, fds=pipes_of(request)) for asked in (text, text.replace(name, nobodys)))
            expect(failures, f'{request} of "{name}"', answer, "NOT_FOUND", "INTERNAL" if request == "disconnect_network" else "NOT_FOUND")
            if shape(answer, name) != shape(of_nobody, nobodys):
                failures.append(f'{request} of "{name}" is answered otherwise than of what nobody has:\n{answer}\n{of_nobody}')
        for request, text in declared.LISTS.items():
            answer = forged.ask(f"{request} {{ {text} }}")
            expect(failures, request, answer, "it was done")
            failures += [f"{request} tells of {name}" for name in strange if name in answer]
        for request, text in declared.PRUNES.items():
            expect(failures, request, forged.ask(f"{request} {{ {text} }}"), "it was done")
        for request in declared.ROOTS_ALONE:
            expect(failures, request, forged.ask(f"{request} {{}}"), "PERMISSION_DENIED")
        # a tenant's uid that no message has a field for: field 1999, a number
        expect(failures, "a field that says another tenant's uid",
               forged.ask(f'look_up_container {{ reference: "{container}" }}', extra=b"\xf8\x7c\x00"), "INVALID_ARGUMENT", GONE)
    replace(cast(), f"api:{uid}")
    return failures
