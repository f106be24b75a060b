<?php
/**
 * Plugin Name: Flattr button
 * Description: A Flattr button for posts: [flattr] where it shall stand, or below every post.
 * Version: 1.0
 * Requires PHP: 7.4
 * License: MIT
 *
 * Put this file into wp-content/plugins and activate it. Nothing is stored, and nothing is sent to
 * the node but what a visitor's browser asks it for.
 */

if (!defined('ABSPATH')) {
    exit;
}

/** The node that the buttons belong to. */
const FLATTR_NODE = 'NODE_URL';

/** true: a button below every post. false: only where [flattr] stands. */
const FLATTR_EVERYWHERE = true;

/** The window of a post. */
function flattr_window($post) {
    $words = array(
        'url' => get_permalink($post),
        'title' => wp_strip_all_tags(get_the_title($post)),
    );
    return FLATTR_NODE . '/click?' . http_build_query($words, '', '&', PHP_QUERY_RFC3986);
}

/** The button of a post; its inner link works where scripts do not. */
function flattr_button($post = null) {
    $post = get_post($post);
    if (!$post) {
        return '';
    }
    wp_enqueue_script('flattr-button');
    return sprintf(
        '<flattr-button url="%s" title="%s"><a href="%s" rel="payment">Flattr this</a></flattr-button>',
        esc_url(get_permalink($post)),
        esc_attr(wp_strip_all_tags(get_the_title($post))),
        esc_url(flattr_window($post))
    );
}

add_action('wp_enqueue_scripts', function () {
    wp_register_script('flattr-button', FLATTR_NODE . '/button.js', array(), null, true);
});

add_shortcode('flattr', function () {
    return flattr_button();
});

add_filter('the_content', function ($content) {
    $here = is_singular('post') && in_the_loop() && is_main_query();
    if (!FLATTR_EVERYWHERE || !$here || has_shortcode($content, 'flattr')) {
        return $content;
    }
    return $content . '<p>' . flattr_button() . '</p>';
});

add_action('wp_head', function () {
    if (is_singular()) {
        printf('<link rel="payment" href="%s" title="Flattr this">' . "\n", esc_url(flattr_window(get_post())));
    }
});

add_action('atom_entry', function () {
    printf(
        '<link rel="payment" type="text/html" href="%s" title="Flattr this"/>' . "\n",
        esc_url(flattr_window(get_post()))
    );
});

add_action('rss2_item', function () {
    printf(
        '<atom:link rel="payment" type="text/html" href="%s" title="Flattr this"/>' . "\n",
        esc_url(flattr_window(get_post()))
    );
});
