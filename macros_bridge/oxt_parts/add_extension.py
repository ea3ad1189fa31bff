"""Adds an extension to a running office, and ends that office: run by a Python that has ``uno``.

Arguments: the name of the office's pipe, the URL of the .oxt, seconds to wait for the office. Unlike unopkg
this also works for root. Leaves with 0, 1 (refused, reason on stderr) or 3 (this Python is too old).
"""

import sys
import time
from contextlib import suppress
from typing import Any

if sys.version_info < (3, 11):  # noqa: UP036 - this is not the Python xlcalc is installed for
    print(".".join(map(str, sys.version_info[:3])), file=sys.stderr)
    sys.exit(3)

import uno
import unohelper  # type: ignore[import-not-found]
from com.sun.star.connection import NoConnectException  # type: ignore[import-not-found]
from com.sun.star.lang import DisposedException  # type: ignore[import-not-found]
from com.sun.star.task import XInteractionHandler  # type: ignore[import-not-found]
from com.sun.star.ucb import XCommandEnvironment  # type: ignore[import-not-found]
from com.sun.star.uno import Exception as UnoException  # type: ignore[import-not-found]


class _Approving(unohelper.Base, XCommandEnvironment):  # type: ignore[misc]
    """Answers the one question asked, whether to replace an installed version, with yes."""

    def getInteractionHandler(self) -> Any:  # noqa: N802 - the office's name
        return _Approver()

    def getProgressHandler(self) -> None:  # noqa: N802
        return None


class _Approver(unohelper.Base, XInteractionHandler):  # type: ignore[misc]
    def handle(self, request: Any) -> None:
        for choice in request.getContinuations():
            if choice.queryInterface(uno.getTypeByName("com.sun.star.task.XInteractionApprove")):
                choice.select()
                return


def _connected(pipe: str, seconds: float) -> Any:
    local = uno.getComponentContext()
    resolver = local.ServiceManager.createInstanceWithContext("com.sun.star.bridge.UnoUrlResolver", local)
    end = time.monotonic() + seconds
    while True:
        try:
            return resolver.resolve(f"uno:pipe,name={pipe};urp;StarOffice.ComponentContext")
        except NoConnectException:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


def main(pipe: str, url: str, seconds: str) -> int:
    """Adds the extension for the office's user."""
    context = _connected(pipe, float(seconds))
    manager = context.getValueByName("/singletons/com.sun.star.deployment.ExtensionManager")
    try:
        manager.addExtension(url, (), "user", None, _Approving())
        return 0
    except UnoException as error:
        cause = getattr(error, "Cause", None)
        print(getattr(cause, "Message", None) or error.Message, file=sys.stderr)
        return 1
    finally:
        desktop = context.ServiceManager.createInstanceWithContext("com.sun.star.frame.Desktop", context)
        with suppress(DisposedException):  # it may be quicker than its answer
            desktop.terminate()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
