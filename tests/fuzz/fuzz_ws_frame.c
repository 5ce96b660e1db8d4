/* WebSocket frames from a stranger. Beside memory errors it looks for a reader that depends on how the
 * bytes were cut: read in one piece and in pieces they must come to the same. */
#include "net/ws_frame.h"

#include "base/hash.h"
#include "base/mem.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define MAX_BYTES 4096

/* All events and payloads, folded into a number. */
static uint64_t read_all(const uint8_t *data, size_t len, size_t piece)
{
    struct ws_reader reader;
    uint64_t sum = 0;
    bool goes_on = true;
    ws_reader_init(&reader, MAX_BYTES);
    for (size_t at = 0; at < len && goes_on; at += piece) {
        size_t here = piece < len - at ? piece : len - at;
        char *bytes = mem_copy((const char *)data + at, here);
        char *rest = bytes;
        enum ws_event event = WS_PONGED;
        while (event != WS_MORE && goes_on) {
            event = ws_read(&reader, &rest, &here);
            goes_on = event != WS_BAD && event != WS_CLOSED;
            if (event == WS_MESSAGE || event == WS_PINGED || event == WS_PONGED) {
                if (reader.payload.len > MAX_BYTES) {
                    abort();
                }
                sum = sum * 31 + event + hash_of(reader.payload);
            } else if (!goes_on) {
                sum = sum * 31 + event + reader.code;
            }
        }
        free(bytes);
    }
    ws_reader_finish(&reader);
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1) {
        return 0;
    }
    size_t piece = 1 + data[0] % 16;
    uint64_t whole = read_all(data + 1, size - 1, size);
    if (whole != read_all(data + 1, size - 1, piece)) {
        abort();
    }
    return 0;
}
