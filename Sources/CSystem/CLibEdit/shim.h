#ifndef CORVID_LIBEDIT_SHIM_H
#define CORVID_LIBEDIT_SHIM_H
#include <stdio.h>
#include <editline/readline.h>
#endif
