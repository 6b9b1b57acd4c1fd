"""Runs all cases. With `--broken` every answer is an error, and no case may pass: a case that cannot fail says nothing."""

import asyncio
import importlib
import sys
import traceback

from harness import BROKEN, CREDENTIAL, break_all, control

GROUPS = ["token", "users", "events", "odata", "batch", "series", "meetings", "calls", "errors", "identity", "rooms", "automation"]


async def main():
    passed = failed = 0
    control("POST", "reset")
    for group in GROUPS:
        for name, run in importlib.import_module(f"cases.{group}").cases():
            break_all()
            problem = None
            try:
                await run()
            except Exception:  # whatever a client throws
                problem = traceback.format_exc()
            control("DELETE", "faults")
            if (problem is None) != BROKEN:
                passed += 1
            else:
                failed += 1
                print(f"FAIL python {group}: {name}\n{problem or 'it passes although every answer is an error'}")
    await CREDENTIAL.close()
    print(f"{passed} passed, {failed} failed")
    return 0 if failed == 0 and passed > 0 else 1


sys.exit(asyncio.run(main()))
