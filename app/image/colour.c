/* Pixels of an embedded colour profile to sRGB. */
#include "app/image/image_private.h"

#include <lcms2.h>

static cmsHPROFILE open_profile(GdkPixbuf *pixbuf)
{
    const char *text = gdk_pixbuf_get_option(pixbuf, "icc-profile");
    gsize size = 0;
    g_autofree guchar *data = text ? g_base64_decode(text, &size) : NULL;
    if (!data || size == 0 || size > (16 << 20)) {
        return NULL;
    }
    cmsHPROFILE profile = cmsOpenProfileFromMem(data, (cmsUInt32Number)size);
    if (profile && cmsGetColorSpace(profile) != cmsSigRgbData) {
        cmsCloseProfile(profile);
        return NULL;
    }
    return profile;
}

/* Whether the transform moves colours by more than rounding: most profiles are sRGB
 * itself, and such pixels must stay as they are. */
static gboolean moves_colours(cmsHTRANSFORM transform)
{
    for (int r = 0; r <= 16; r++) {
        guint8 in[17 * 17 * 3], out[17 * 17 * 3];
        for (int i = 0; i < 17 * 17; i++) {
            in[i * 3] = (guint8)MIN(255, r * 16);
            in[i * 3 + 1] = (guint8)MIN(255, i / 17 * 16);
            in[i * 3 + 2] = (guint8)MIN(255, i % 17 * 16);
        }
        cmsDoTransform(transform, in, out, 17 * 17);
        for (gsize i = 0; i < sizeof in; i++) {
            if (ABS(in[i] - out[i]) > 2) {
                return TRUE;
            }
        }
    }
    return FALSE;
}

void img_to_srgb(GdkPixbuf *pixbuf, struct img_pixels *pixels)
{
    cmsHPROFILE profile = open_profile(pixbuf);
    if (!profile) {
        return;
    }
    cmsHPROFILE srgb = cmsCreate_sRGBProfile();
    cmsHTRANSFORM transform =
        cmsCreateTransform(profile, TYPE_RGB_8, srgb, TYPE_RGB_8, INTENT_PERCEPTUAL,
                           cmsFLAGS_NOCACHE);
    if (transform && moves_colours(transform)) {
        cmsDoTransform(transform, pixels->rgb, pixels->rgb,
                       (cmsUInt32Number)(pixels->width * pixels->height));
    }
    if (transform) {
        cmsDeleteTransform(transform);
    }
    cmsCloseProfile(srgb);
    cmsCloseProfile(profile);
}
