/* Runs one fuzz target over every file of a corpus folder, with any compiler: what a fuzzer
 * once found stays tested. Fails if the folder is missing or empty. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay_file(const char *folder, const char *name)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return 0;
    }
    fseek(file, 0, SEEK_END);
    long size = ftell(file);
    rewind(file);
    uint8_t *data = malloc(size > 0 ? (size_t)size : 1);
    int ok = size >= 0 && data != NULL && fread(data, 1, (size_t)size, file) == (size_t)size;
    if (ok) {
        LLVMFuzzerTestOneInput(data, (size_t)size);
    }
    free(data);
    fclose(file);
    return ok;
}

int main(int argc, char **argv)
{
    DIR *folder = argc == 2 ? opendir(argv[1]) : NULL;
    if (folder == NULL) {
        fprintf(stderr, "usage: %s CORPUS_FOLDER\n", argv[0]);
        return 2;
    }
    int replayed = 0;
    int failed = 0;
    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        if (entry->d_name[0] != '.') {
            int ok = replay_file(argv[1], entry->d_name);
            replayed += ok;
            failed += !ok;
        }
    }
    closedir(folder);
    printf("%d inputs replayed, %d unreadable\n", replayed, failed);
    return replayed > 0 && failed == 0 ? 0 : 1;
}
