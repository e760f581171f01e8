# SPDX-License-Identifier: Apache-2.0
"""What a process that was taken over can say to others. `declared` has what is said, for docs/breach.md too; the other modules say it."""
