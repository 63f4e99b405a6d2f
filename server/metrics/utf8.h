// EscapeInvalidUtf8: models are named as folders, which may have any bytes; Prometheus refuses a whole scrape for one
// that is no UTF-8.
#ifndef TANDEM_SERVER_METRICS_UTF8_H_
#define TANDEM_SERVER_METRICS_UTF8_H_

#include <string>

namespace tandem::metrics {

// The exposition `text` in which bytes that belong to no well-formed UTF-8 are written as \xNN, as a label's value has
// to show it: with two backslashes. The rest stays as it is.
std::string EscapeInvalidUtf8(std::string text);

}  // namespace tandem::metrics

#endif  // TANDEM_SERVER_METRICS_UTF8_H_
