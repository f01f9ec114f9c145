"""The one table of all fuzz targets."""

import fuzz_doors
import fuzz_kept
import fuzz_media
import fuzz_oidc
import fuzz_program
import fuzz_talk
import fuzz_web

MODULES = (fuzz_media, fuzz_talk, fuzz_web, fuzz_oidc, fuzz_doors, fuzz_kept, fuzz_program)
TARGETS = tuple(target for module in MODULES for target in module.TARGETS)
BY_NAME = {target.name: target for target in TARGETS}
assert len(BY_NAME) == len(TARGETS)
