// The process's log: one line an event, on standard error, as text or JSON. The logger "requests" is for lines about
// single requests.
#ifndef TANDEM_SERVER_APP_LOGGING_H_
#define TANDEM_SERVER_APP_LOGGING_H_

#include <string>

namespace tandem::app {

// `format`: text or json; `level`: debug, info, warning or error. Call once, before the first line.
void SetUpLogging(const std::string& format, const std::string& level);

}  // namespace tandem::app

#endif  // TANDEM_SERVER_APP_LOGGING_H_
