/* pam_wire.h - what the daemon and pxs-auth say to each other, a packet each:
 *
 *	USER NUL ADDRESS NUL PASSWORD NUL	->
 *						<-	PAM_WIRE_YES or PAM_WIRE_NO
 */
#ifndef PXS_AUTH_PAM_WIRE_H
#define PXS_AUTH_PAM_WIRE_H

#define PAM_WIRE_MAX 1024
#define PAM_WIRE_YES 'y'
#define PAM_WIRE_NO 'n'

#endif
