// SPDX-License-Identifier: Apache-2.0
#include "server/ctl/answer.h"

enum ctl_exit answer_rows(struct ctl *ctl, const json_t *list, const struct answer_column *columns,
                          unsigned count)
{
    struct table table = table_of(count);
    const char *cells[TABLE_COLUMNS_MAX];
    size_t i;
    const json_t *object;
    for (unsigned column = 0; column < count; column++) {
        cells[column] = columns[column].title;
    }
    table_add(&table, cells);
    json_array_foreach(list, i, object)
    {
        for (unsigned column = 0; column < count; column++) {
            cells[column] = api_text(object, columns[column].key);
        }
        table_add(&table, cells);
    }
    return answer_print(ctl, &table);
}

void answer_fields(struct table *table, const json_t *object, const struct answer_column *fields,
                   size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *cells[] = {fields[i].title, api_text(object, fields[i].key)};
        table_add(table, cells);
    }
}

enum ctl_exit answer_print(struct ctl *ctl, struct table *table)
{
    struct err err = {0};
    enum err_code code = table_print(table, ctl->out, &err);
    table_done(table);
    return code == ERR_OK ? CTL_OK : ctl_complain(ctl, CTL_FAILED, "%s", err.text);
}
