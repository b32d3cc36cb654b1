/* imapcompress - COMPRESS=DEFLATE (RFC 4978): all that follows the answer is compressed */
#include "compression.h"
#include "imapcommand.h"

enum answer imapcompress_compress(struct imapsession *session, struct parse *arguments)
{
    if (!parse_word(arguments, "DEFLATE") || !parse_at_end(arguments))
        return ANSWER_SYNTAX;
    if (session->compression)
        return ANSWER_COMPRESSED;
    session->compression = compression_new();
    if (!session->compression)
        return ANSWER_TROUBLE;
    session->starts_compression = true;
    return ANSWER_DONE;
}
