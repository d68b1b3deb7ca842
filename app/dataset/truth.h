/* What is known of a pair of image and label. The values are those of the store's
 * verdicts, and those that zero-shot work writes as -1, 0 and 1. */
#pragma once

enum truth { TRUTH_NEGATIVE = -1, TRUTH_UNKNOWN = 0, TRUTH_POSITIVE = 1 };
